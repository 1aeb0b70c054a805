"""Refusals of uploads by the decoding child, and the bounds of a page's dimensions."""

from ketav_common.limits import MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE_PIXELS, MIN_IMAGE_SIDE_PIXELS


class Refused(Exception):
    """An upload that cannot become a page: a stable code and sentences for the user."""

    def __init__(self, code: str, detail: str) -> None:
        """Take the stable code, what is wrong, and what to do."""
        super().__init__(detail)
        self.code = code
        self.detail = detail


def check_size(width: int, height: int) -> None:
    """Raise Refused for dimensions (px) that are too large to decode or too small to read."""
    if min(width, height) < MIN_IMAGE_SIDE_PIXELS:
        raise Refused(
            "image-too-small",
            f"The image has {width} x {height} pixels; each side needs at least {MIN_IMAGE_SIDE_PIXELS}. "
            "Scan the page at a higher resolution.",
        )
    if max(width, height) > MAX_IMAGE_SIDE_PIXELS or width * height > MAX_IMAGE_PIXELS:
        raise too_large()


def too_large() -> Refused:
    """Return the refusal of an image with too many pixels."""
    return Refused(
        "image-too-large",
        f"The image has more than {MAX_IMAGE_PIXELS // 1_000_000} megapixels, or a side has more than "
        f"{MAX_IMAGE_SIDE_PIXELS:,} pixels. Scale it down; 300 dpi suffices.",
    )
