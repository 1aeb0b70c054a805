"""The messages between the recognizer and its reader processes."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter

from ketav_common.child_channel import BadFrameError, Frame
from ketav_common.stages import StageTime, StageTimes
from ketav_engine.domain import ReadPage
from ketav_recognizer.domain import Answer, ReadingTask, Refusal

WARM_UP: Final = "warm_up"
"""Key of the first request: load the engine, then answer."""
PING: Final = "ping"
"""Key of a request that is answered at once."""
_ANSWERS: Final[dict[str, TypeAdapter[Any]]] = {
    "page": TypeAdapter(ReadPage),
    "refusal": TypeAdapter(Refusal),
}
_STAGES: Final = "stages"
"""Key of the stages' times: the start in nanoseconds since 1970 and the duration in nanoseconds of each."""
Stage = Literal["load", "decode", "segment", "crop", "network", "beam"]
"""The stages of a reading, in their order."""
_Nanoseconds = Annotated[int, Field(ge=0, lt=2**63)]
_TIMES: Final[TypeAdapter[dict[Stage, tuple[_Nanoseconds, _Nanoseconds]]]] = TypeAdapter(
    dict[Stage, tuple[_Nanoseconds, _Nanoseconds]]
)


@dataclass(frozen=True, slots=True)
class TimedAnswer:
    """The result of a reading task with the times of its stages."""

    answer: Answer
    stages: StageTimes


def from_task(task: ReadingTask) -> Frame:
    """Encode a task; its image is the frame's payload."""
    message = {
        "layout": task.layout,
        "model_path": task.model_path,
        "model_sha256": task.model_sha256,
        "detect_turn": task.detect_turn,
    }
    return Frame(message, task.image)


def to_task(frame: Frame) -> ReadingTask:
    """Decode a task."""
    return ReadingTask(image=frame.payload, **frame.message)


def from_answer(timed: TimedAnswer) -> dict[str, Any]:
    """Encode an answer."""
    stages = {name: [time.start_ns, time.duration_ns] for name, time in timed.stages.items()}
    kind = "page" if isinstance(timed.answer, ReadPage) else "refusal"
    return {kind: asdict(timed.answer), _STAGES: stages}


def to_answer(message: dict[str, Any]) -> TimedAnswer:
    """Decode an answer; raises BadFrameError when it is not one: the reader has decoded untrusted bytes."""
    for name, adapter in _ANSWERS.items():
        if name in message:
            try:
                answer = adapter.validate_python(message[name])
                times = _TIMES.validate_python(message.get(_STAGES, {}))
            except ValueError as error:
                raise BadFrameError("an answer of another shape") from error
            return TimedAnswer(answer, {stage: StageTime(*pair) for stage, pair in times.items()})
    raise BadFrameError("an answer without a page or a refusal")
