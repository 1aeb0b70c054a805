"""JSON that several features share: base classes, and the messages of `ketav/page/v1` except Line."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ketav_common.limits import MAX_NAME_CODE_POINTS

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
VERSION_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

Id = Annotated[str, StringConstraints(pattern=UUID_PATTERN)]
Script = Literal["modern_cursive", "square", "sephardi", "ashkenazi", "rashi"]
Layout = Literal["page", "line"]
ModelKind = Literal["base", "user"]


HandName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_CODE_POINTS)]


class RequestBody(BaseModel):
    """A body or form that a client sends: exactly the known fields, without type conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ResponseBody(BaseModel):
    """A body that the gateway returns."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Image(ResponseBody):
    """A stored image."""

    width: int = Field(description="Width in pixels, after the image was turned upright.")
    height: int = Field(description="Height in pixels, after the image was turned upright.")
    media_type: str = Field(description="Media type of the stored file: image/png or image/jpeg.")
    normalised: list[str] = Field(
        default_factory=list,
        description="Codes of what was changed before the image was stored: `inverted` (light writing on a "
        "dark ground), `turned-90`, `turned-180`, `turned-270` (degrees clockwise), `deskewed`, "
        "`depth-scaled` (an image of more than 8 bits was scaled by the bits that it uses), `brightened` (a "
        "very dark photograph). Coordinates are those of the stored image.",
    )


class ImageWarning(ResponseBody):
    """A warning about an image that was read in part."""

    code: str = Field(description="What is wrong, for programs: `incomplete-image`, `damaged-image`.")
    detail: str = Field(description="What is wrong and what to do, in sentences.")


class Model(ResponseBody):
    """The model that read a page."""

    version: str = Field(description="Name of the version.")
    kind: ModelKind = Field(description="`base`: serves all users; `user`: fine-tuned on your corrections.")
