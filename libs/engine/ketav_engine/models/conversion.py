"""The child process that converts public models; the registry's `ketav models import` starts it.

A request is `{"convert": SOURCE, "target": TARGET}` or `{"check": FILE}` with paths of files; the answer is
`{"accepted": true}` or `{"refused": SENTENCES}`. The check of a converted file belongs in another process
than the conversion, which hostile bytes may have taken over.
"""

from pathlib import Path
from typing import Any

from ketav_common.child_main import Channel, run
from ketav_engine.domain import UnusableModelError
from ketav_engine.models.importing import check, convert


def serve(channel: Channel) -> None:
    """Answer requests until the parent closes the channel."""
    while True:
        frame = channel.receive()
        if frame is not None:
            channel.send(_answer(frame.message))


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """Convert or check a file; an unusable model is a refusal, any other error ends the process."""
    try:
        if "convert" in request:
            convert(Path(request["convert"]), Path(request["target"]))
        else:
            check(Path(request["check"]))
    except UnusableModelError as error:
        return {"refused": error.detail}
    return {"accepted": True}


if __name__ == "__main__":
    run(serve)
