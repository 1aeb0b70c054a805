"""The messages between the recognizer and its reader processes."""

from dataclasses import asdict
from typing import Any, Final

from pydantic import TypeAdapter

from ketav_common.child_channel import BadFrameError, Frame
from ketav_engine.domain import ReadPage
from ketav_recognizer.domain import Answer, ReadingTask, Refusal

WARM_UP: Final = "warm_up"
"""Key of the first request: load the engine, then answer."""
_ANSWERS: Final[dict[str, TypeAdapter[Any]]] = {
    "page": TypeAdapter(ReadPage),
    "refusal": TypeAdapter(Refusal),
}


def from_task(task: ReadingTask) -> Frame:
    """Encode a task; its image is the frame's payload."""
    message = {"layout": task.layout, "model_path": task.model_path, "model_sha256": task.model_sha256}
    return Frame(message, task.image)


def to_task(frame: Frame) -> ReadingTask:
    """Decode a task."""
    return ReadingTask(image=frame.payload, **frame.message)


def from_answer(answer: Answer) -> dict[str, Any]:
    """Encode an answer."""
    return {"page" if isinstance(answer, ReadPage) else "refusal": asdict(answer)}


def to_answer(message: dict[str, Any]) -> Answer:
    """Decode an answer; raises BadFrameError when it is not one: the reader has decoded untrusted bytes."""
    for name, adapter in _ANSWERS.items():
        if name in message:
            try:
                answer: Answer = adapter.validate_python(message[name])
            except ValueError as error:
                raise BadFrameError("an answer of another shape") from error
            return answer
    raise BadFrameError("an answer without a page or a refusal")
