from typing import Literal, cast

ProjectWithImagesRole = Literal["editor", "owner", "viewer"]


def check_project_with_images_role(value: str) -> ProjectWithImagesRole:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ProjectWithImagesRole, value)
