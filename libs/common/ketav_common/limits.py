"""The limits that several services share: each is written here and imported wherever it is checked.

A limit of one service alone stays in that service. Every name ends with its unit.
"""

from typing import Final

MIB: Final = 1024 * 1024
"""Bytes of a mebibyte."""

MAX_IMAGE_BYTES: Final = 25 * MIB
"""Bytes of an image file, uploaded or stored: 4 bits for each of `MAX_IMAGE_PIXELS`."""
MAX_IMAGE_PIXELS: Final = 50_000_000
"""Pixels of a decoded image: an A4 page at 600 dpi has 35 million. As RGB they take 150 MB."""
MAX_IMAGE_SIDE_PIXELS: Final = 20_000
"""Pixels of an image's longer side: more than any page has, and below libjpeg's 65,500."""
MIN_IMAGE_SIDE_PIXELS: Final = 16
"""Pixels of an image's shorter side. Kraken's smallest network reads lines 48 px high; no letter is legible
in less than a third of that."""

MAX_DOCUMENT_PAGES: Final = 20
"""Pages of a PDF or TIFF that one request reads: a minute or two of work."""

MAX_JOB_PAGES: Final = 300
"""Pages of a job, and of a PDF or TIFF that is read by one: a long notebook, a quarter of an hour of work."""

MAX_EXPORT_BYTES: Final = 2_000 * MIB
"""Bytes of an export that a job writes: 1,000 pages with images of 2 MiB. The gateway and the registry each
hold one in a temporary file."""
MAX_DIRECT_EXPORT_PAGES: Final = MAX_JOB_PAGES
"""Pages of a project that one request exports while its client waits: a long notebook, some ten seconds of
work; a job exports larger ones."""

MAX_PAGE_LINES: Final = 1_000
"""Lines of a page: lines 7 px apart on an A4 page at 600 dpi, where the smallest writing has 40."""
MAX_CORRECTIONS: Final = MAX_PAGE_LINES
"""Corrections of one request: each line of a page may be corrected once."""
MAX_POLYLINE_POINTS: Final = 1_000
"""Points of a line's baseline or boundary: one for every 20 px of the longest side that is allowed."""

MAX_LINE_CODE_POINTS: Final = 4_000
"""Code points of a line's text: a line of 100 letters with five marks on each has 600."""
MAX_PAGE_CODE_POINTS: Final = 200_000
"""Code points of a page's text sent in one piece: 200 for each of `MAX_PAGE_LINES` lines."""
MAX_NAME_CODE_POINTS: Final = 200
"""Code points of a name: a project's, a user's, a worker's."""
MAX_QUERY_CODE_POINTS: Final = 200
"""Code points of a search."""
MAX_VERDICT_CODE_POINTS: Final = 2_000
"""Code points of a training run's verdict: one paragraph."""
MAX_MODEL_CARD_CODE_POINTS: Final = 64 * 1024
"""Code points of a model card, a JSON object of some twenty figures and names."""
MAX_WEBHOOK_URL_CHARACTERS: Final = 2_000
"""Characters of a webhook's URL: long enough for a path with a token, short enough for a table."""
MAX_IDEMPOTENCY_KEY_CHARACTERS: Final = 255
"""Characters of an Idempotency-Key, which are the request ids of the registry's mutations."""

MAX_MODEL_BYTES: Final = 64 * MIB
"""Bytes of a model file: the 16 million float32 weights that the engine builds at most take 61 MiB, and the
file's header at most one. `hebrew_base` has 7.6 MB."""
MAX_MODEL_HEADER_BYTES: Final = MIB
"""Bytes of the JSON header of a safetensors file: `hebrew_base` has 6 kB; it grows with the alphabet."""
MAX_CHECKED_MODELS: Final = 1_000
"""Digests of one CheckModels call: they take 34 kB of a message."""

MAX_CLAIMED_DELIVERIES: Final = 50
"""Webhook deliveries of one ClaimDeliveries call: each is sent within the minute that its lease lasts."""
MAX_TRAINING_GAP_SECONDS: Final = 7 * 24 * 3600
"""Seconds between two automatic trainings that a user may ask for: a week."""

CHUNK_BYTES: Final = MIB
"""Bytes of one chunk of a stream: well below `MAX_MESSAGE_BYTES`, large enough that a call costs little."""
MAX_MESSAGE_BYTES: Final = 4 * MIB
"""Bytes of one gRPC message: gRPC's own default; longer content is sent in chunks."""
MAX_METADATA_BYTES: Final = 16 * 1024
"""Bytes of a gRPC call's metadata: identity, request id and trace take below 1 kB."""
