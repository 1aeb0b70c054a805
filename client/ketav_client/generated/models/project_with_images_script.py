from typing import Literal, cast

ProjectWithImagesScript = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_project_with_images_script(value: str) -> ProjectWithImagesScript:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ProjectWithImagesScript, value)
