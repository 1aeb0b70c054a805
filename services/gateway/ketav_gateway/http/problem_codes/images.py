"""The codes of image files, and of their recognition."""

from ketav_gateway import examples
from ketav_gateway.http.problem_codes.kinds import IMAGE_IS_STORED, INTERNAL_DETAIL, ProblemCode

PAGE = {"project_id": examples.PROJECT_ID, "image_id": examples.IMAGE_ID}


def _stored(detail: str) -> str:
    """Return an example of a failure to read an image that is stored."""
    return f"{detail} {IMAGE_IS_STORED.format(**PAGE)}"


CODES: dict[str, ProblemCode] = {
    # Images.
    "empty-file": ProblemCode(422, "The file is empty. Send a JPEG, PNG, TIFF, WebP, HEIC or PDF file."),
    "unsupported-media-type": ProblemCode(
        415, "The file is not a JPEG, PNG, TIFF, WebP, HEIC or PDF file. Convert it to one of these types."
    ),
    "undecodable-image": ProblemCode(
        422, "The file begins like PNG but cannot be decoded. Save it again as JPEG or PNG."
    ),
    "image-too-small": ProblemCode(
        422,
        "The image has 12 x 40 pixels; each side needs at least 16. Scan the page at a higher resolution.",
    ),
    "image-too-large": ProblemCode(
        422,
        "The image has more than 50 megapixels, or a side has more than 20,000 pixels. Scale it down; 300 "
        "dpi suffices.",
    ),
    "image-too-expensive": ProblemCode(
        422, "Decoding the image takes too much time or memory. Send it as a plain JPEG or PNG."
    ),
    "multiple-frames": ProblemCode(
        422, "The file holds more than one image. Send each page as a file of its own."
    ),
    "encrypted-pdf": ProblemCode(422, "The PDF is encrypted. Save it without a password and send it again."),
    "empty-pdf": ProblemCode(422, "The PDF has no pages. Send a PDF with at least one page."),
    "broken-pdf": ProblemCode(
        422, "The PDF is damaged and cannot be read. Save it again and send the new file."
    ),
    "too-many-pages": ProblemCode(
        422,
        "The file has more than 20 pages. Send it with the header Prefer: respond-async, which reads up to "
        "300 pages in the background, or divide it.",
    ),
    "out-of-time": ProblemCode(
        503,
        "The time for one document is over. Send the request again with its Idempotency-Key to continue.",
    ),
    "unsupported-mode": ProblemCode(
        422, "The image has pixels that are not numbers. Save it with 8 bits per channel."
    ),
    # Recognition. The image is kept: the members name it.
    "unreadable-image": ProblemCode(
        422, "Reading this image has failed repeatedly. Send it at a lower resolution or in parts.", PAGE
    ),
    "queue-full": ProblemCode(429, _stored("Too many images wait to be read. Try again later."), PAGE),
    "costly-images": ProblemCode(
        429,
        _stored(
            "Several of your images took more time than images of their size may. "
            "Check that they are pages of writing, and retry after 8 seconds."
        ),
        PAGE,
    ),
    "no-reader": ProblemCode(503, _stored("No reader process can be started. Try again later."), PAGE),
    "reader-died": ProblemCode(
        503, _stored("The process that read the image ended. Read the image again."), PAGE
    ),
    "model-cache": ProblemCode(
        503, _stored("The recognizer's model cache cannot be written. Try again later."), PAGE
    ),
    "grant-expired": ProblemCode(
        503, _stored("The authorization to read with this model has expired. Read the image again."), PAGE
    ),
    "model-digest": ProblemCode(500, INTERNAL_DETAIL, PAGE),
    "data-loss": ProblemCode(500, INTERNAL_DETAIL),
    "no-base-model": ProblemCode(
        503,
        "There is no base model for this script yet. "
        "Ask the operator to import one with `ketav models import`.",
    ),
    "page-is-read": ProblemCode(
        409,
        "Another request has read the page in the meantime. Get it with GET /projects/PROJECT_ID.",
        PAGE,
    ),
    "image-changed": ProblemCode(
        409,
        "Another request has turned the image of the page in the meantime. Read the page again with "
        "POST /projects/PROJECT_ID/images/IMAGE_ID/ocr.",
        PAGE,
    ),
    "model-retired": ProblemCode(
        409, "The gate has rejected this version, so it never serves. Choose another one with GET /models/."
    ),
    "model-tainted": ProblemCode(
        409,
        "This version was trained on lines that you have deleted, so it never serves. "
        "Choose another one with GET /models/.",
    ),
}
