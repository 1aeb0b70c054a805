"""Conversions that several features share, between protobuf values and JSON values."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from ketav.page.v1 import page_pb2
from ketav_common.images import NormalisedImage
from ketav_gateway import schemas

_SCRIPTS: dict[schemas.Script, page_pb2.Script.ValueType] = {
    "modern_cursive": page_pb2.SCRIPT_MODERN_CURSIVE,
    "square": page_pb2.SCRIPT_SQUARE,
    "sephardi": page_pb2.SCRIPT_SEPHARDI,
    "ashkenazi": page_pb2.SCRIPT_ASHKENAZI,
    "rashi": page_pb2.SCRIPT_RASHI,
}
_LAYOUTS: dict[schemas.Layout, page_pb2.Layout.ValueType] = {
    "page": page_pb2.LAYOUT_PAGE,
    "line": page_pb2.LAYOUT_LINE,
}


_WARNINGS = {
    "incomplete-image": "The file ends before the image does. The rows that arrived were stored and read. "
    "Send the whole file to read the rest.",
    "damaged-image": "An image in the PDF is damaged. What can be drawn of the page was stored and read. "
    "Save the PDF again from its source to read the rest.",
    "reading-too-many-lines": "The image has more lines than an image of its size may have, and the first "
    "were read. Send a page with so many lines in parts; check that the image is a page of writing.",
    "reading-out-of-time": "Reading the image took more time than an image of its size may take: some lines "
    "have no text. Send the page in parts to read them; check that it is a page of writing.",
}
"""Sentences about images that were read in part, by code."""
_OTHER_WARNING = (
    "The image was read in part. Look at the stored image, and send the page again if it differs."
)


def script_to_proto(name: schemas.Script | None) -> page_pb2.Script.ValueType:
    """Return the enum value of a script; SCRIPT_UNSPECIFIED for None."""
    return page_pb2.SCRIPT_UNSPECIFIED if name is None else _SCRIPTS[name]


def layout_to_proto(name: schemas.Layout) -> page_pb2.Layout.ValueType:
    """Return the enum value of a layout."""
    return _LAYOUTS[name]


def image_to_proto(image: NormalisedImage) -> page_pb2.Image:
    """Return what the registry is sent about an image; it computes the SHA-256 from the bytes."""
    return page_pb2.Image(
        width=image.width,
        height=image.height,
        media_type=image.media_type,
        size_bytes=image.size_bytes,
        normalised=image.normalised,
        warnings=image.warnings,
    )


def enum_name(enum: Any, value: int, prefix: str) -> Any:  # noqa: ANN401 - enum wrappers share no type
    """Return an enum value as JSON writes it: without the prefix, in lower case."""
    return enum.Name(value).removeprefix(prefix).lower()


def script_name(value: page_pb2.Script.ValueType) -> schemas.Script:
    """Return a script as JSON writes it."""
    name: schemas.Script = enum_name(page_pb2.Script, value, "SCRIPT_")
    return name


def timestamp(value: Timestamp) -> datetime:
    """Return a time with the zone UTC."""
    return value.ToDatetime(tzinfo=UTC)


def image(message: page_pb2.Image) -> schemas.Image:
    """Return an image without its digest and length."""
    return schemas.Image(
        width=message.width,
        height=message.height,
        media_type=message.media_type,
        normalised=list(message.normalised),
    )


def image_warnings(message: page_pb2.Image) -> list[schemas.ImageWarning]:
    """Return what is wrong with an image that was read in part; a newer registry may send other codes."""
    return [
        schemas.ImageWarning(code=code, detail=_WARNINGS.get(code, _OTHER_WARNING))
        for code in message.warnings
    ]


def with_reading_warnings(present: Sequence[str], warnings: Sequence[str]) -> list[str]:
    """Return the warnings of an image with those of its latest reading, as the registry stores them."""
    return [*(code for code in present if not code.startswith("reading-")), *warnings]


def model(message: page_pb2.Model) -> schemas.Model:
    """Return a model without its digest, length and grant."""
    return schemas.Model(
        version=message.version, kind=enum_name(page_pb2.ModelKind, message.kind, "MODEL_KIND_")
    )
