"""A machine-learning backend of Label Studio: Ketav reads images of tasks; annotations become corrections.

KETAV_URL and KETAV_API_KEY name the server, LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY Label Studio. Images
are fetched from there alone. README.md has the steps.
"""

import hashlib
import json
import os
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import httpx

from ketav_client import Ketav, KetavError
from ketav_client.generated import models
from ketav_client.generated.types import File

Json = dict[str, Any]
MAX_BODY_BYTES = 16 * 2**20
TIMEOUT_S = 90.0
"""Label Studio waits 100 s for predictions."""
SEPARATOR = "."
"""Between image and line in the id of a region, which Label Studio keeps in annotations."""


class Backend:
    """The answers to the requests of Label Studio."""

    def __init__(self, ketav: Ketav, label_studio_url: str, token: str) -> None:
        """Keep the clients of both servers."""
        self._ketav = ketav
        self._url = label_studio_url.rstrip("/") + "/"
        self._images = httpx.Client(headers={"Authorization": f"Token {token}"}, timeout=TIMEOUT_S)

    def health(self, _request: Json) -> Json:
        """Answer that the backend runs, also when Label Studio introduces a project."""
        return {"status": "UP", "model_version": "ketav"}

    setup = health

    def predict(self, request: Json) -> Json:
        """Read the image of each task: a polygon with a text for each line."""
        config = ET.fromstring(request["label_config"])  # noqa: S314 - from the configured Label Studio
        image, polygon, text = (config.find(f".//{tag}") for tag in ("Image", "Polygon", "TextArea"))
        if image is None or polygon is None or text is None:
            raise KetavError(
                "The labeling interface lacks Image, Polygon or TextArea. Copy that of README.md."
            )
        project_id = self._project(str(request["project"]).partition(".")[0])
        results = []
        for task in request["tasks"]:
            read = self._read(project_id, task["data"][image.attrib["value"].removeprefix("$")])
            size = {"original_width": read.image.width, "original_height": read.image.height}
            common: Json = {"to_name": image.attrib["name"], **size}
            result = []
            for line in read.lines:
                points = [[100 * x / read.image.width, 100 * y / read.image.height] for x, y in line.boundary]
                region = common | {"id": f"{read.image_id}{SEPARATOR}{line.line_id}"}
                value: Json = {"points": points, "closed": True}
                result.append(
                    region | {"type": "polygon", "from_name": polygon.attrib["name"], "value": value}
                )
                value = value | {"text": [line.text]}
                result.append(region | {"type": "textarea", "from_name": text.attrib["name"], "value": value})
            results.append({"result": result, "score": read.confidence, "model_version": read.model.version})
        return {"results": results}

    def webhook(self, request: Json) -> Json:
        """Send the texts of a submitted annotation as corrections; other events change nothing."""
        if request.get("action") not in {"ANNOTATION_CREATED", "ANNOTATION_UPDATED"}:
            return {}
        corrections: dict[str, list[models.LineCorrection]] = {}
        for region in request["annotation"]["result"]:
            image_id, separator, line_id = region["id"].partition(SEPARATOR)
            if region["type"] == "textarea" and separator:
                text = " ".join(region["value"]["text"])
                corrections.setdefault(image_id, []).append(models.LineCorrection(line_id, text))
        project_id = self._project(str(request["project"]["id"]))
        for image_id, lines in corrections.items():
            self._ketav.save_feedback(body=models.SubmitCorrectionsRequest(project_id, image_id, lines=lines))
        return {"images": len(corrections)}

    def _project(self, label_studio_id: str) -> str:
        """Return the id of Ketav's project for one of Label Studio; it is created when it is missing."""
        name = f"Label Studio {label_studio_id}"
        existing = next((p.project_id for p in self._ketav.projects() if p.name == name), None)
        return existing or self._ketav.create_project(body=models.NewProject(name)).project_id

    def _read(self, project_id: str, address: str) -> models.OcrResponse:
        """Read an image of Label Studio; the same image of a project is read once."""
        url = urljoin(self._url, address)
        if urlsplit(url).netloc != urlsplit(self._url).netloc:
            raise KetavError(f"{url} is not in Label Studio. Upload the image to it.")
        response = self._images.get(url).raise_for_status()
        key = hashlib.sha256(project_id.encode() + response.content).hexdigest()
        body = models.RunOcrBody(File(BytesIO(response.content), "page"), project_id=project_id, rotate="0")
        read = self._ketav.run_ocr(body=body, idempotency_key=key)
        if not isinstance(read, models.OcrResponse):
            raise KetavError(f"{url} has several pages. Upload an image for each page.")
        return read


class Handler(BaseHTTPRequestHandler):
    """Passes the requests of Label Studio to the method with the name of their path."""

    backend: Backend
    timeout = TIMEOUT_S

    def do_POST(self) -> None:
        """Answer a request, whose body is JSON or empty; an error becomes its sentences."""
        size = int(self.headers.get("Content-Length", "0"))
        name = self.path.strip("/")
        if name not in {"health", "setup", "predict", "webhook"} or size > MAX_BODY_BYTES:
            return self._send(HTTPStatus.BAD_REQUEST, {"error": "There is no such path, or it is too large."})
        try:
            request = json.loads(self.rfile.read(size) or b"{}")
            return self._send(HTTPStatus.OK, getattr(self.backend, name)(request))
        except (KetavError, httpx.HTTPError, ET.ParseError, KeyError, ValueError) as error:
            return self._send(HTTPStatus.BAD_GATEWAY, {"error": str(error)})

    do_GET = do_POST

    def _send(self, status: HTTPStatus, body: Json) -> None:
        """Send a response."""
        content = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Serve on 127.0.0.1, port 9090 or KETAV_LABEL_STUDIO_PORT."""
    environ = os.environ
    with Ketav() as ketav:
        Handler.backend = Backend(ketav, environ["LABEL_STUDIO_URL"], environ["LABEL_STUDIO_API_KEY"])
        port = int(environ.get("KETAV_LABEL_STUDIO_PORT", "9090"))
        ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
