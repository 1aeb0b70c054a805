"""IIIF Presentation 3 manifests (iiif.io/api/presentation/3.0): pages are canvases, lines are annotations.

The annotations follow the W3C Web Annotation Data Model; the polygon of a line is in an SVG selector. Images
are addresses of this API, for which a viewer sends the key or the session cookie, or addresses of a link.
"""

import json
from typing import Any

from ketav_gateway.pages.regions import page_lines
from ketav_gateway.pages.schemas import Page
from ketav_gateway.transcriptions.schemas import CorrectedLine

MEDIA_TYPE = 'application/ld+json;profile="http://iiif.io/api/presentation/3/context.json"'


def begin(title: str, address: str) -> str:
    """Return the beginning of a manifest with this title and address."""
    manifest = {
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": address,
        "type": "Manifest",
        "label": {"none": [title]},
        "viewingDirection": "right-to-left",
    }
    return f'{json.dumps(manifest, ensure_ascii=False)[:-1]}, "items": [\n'


def canvas(page: Page, number: int, base: str, file: str = "") -> str:
    """Return the canvas of a page; `number` counts from 1, and `base` is the address of the API.

    `file` is the address of the image; without it that of the API.
    """
    image = f"{base}/projects/{page.project_id}/images/{page.image_id}"
    address = f"{image}/canvas"
    size = {"width": page.image.width, "height": page.image.height}
    painting = {
        "id": f"{address}/painting",
        "type": "Annotation",
        "motivation": "painting",
        "body": {"id": file or f"{image}/file", "type": "Image", "format": page.image.media_type, **size},
        "target": address,
    }
    described: dict[str, Any] = {
        "id": address,
        "type": "Canvas",
        "label": {"none": [str(number)]},
        **size,
        "items": [{"id": f"{address}/page", "type": "AnnotationPage", "items": [painting]}],
        "annotations": [
            {
                "id": f"{address}/lines",
                "type": "AnnotationPage",
                "items": [_annotation(line, address) for line in page_lines(page)],
            }
        ],
    }
    return json.dumps(described, ensure_ascii=False)


def end() -> str:
    """Return the end of a manifest."""
    return "\n]}\n"


def _annotation(line: CorrectedLine, canvas_address: str) -> dict[str, Any]:
    """Return the annotation with the text of a line."""
    points = " ".join(f"{x},{y}" for x, y in line.boundary or line.baseline)
    text = line.text if line.verified_text is None else line.verified_text
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><polygon points="{points}"/></svg>'
    return {
        "id": f"{canvas_address}/lines/{line.line_id}",
        "type": "Annotation",
        "motivation": "supplementing",
        "body": {"type": "TextualBody", "value": text, "language": "he", "format": "text/plain"},
        "target": {
            "type": "SpecificResource",
            "source": canvas_address,
            "selector": {"type": "SvgSelector", "value": svg},
        },
    }
