"""The messages between the recognizer and its readers, which decode untrusted bytes."""

import pytest

from ketav_common.child_channel import BadFrameError
from ketav_common.stages import StageTime
from ketav_engine.domain import ReadPage
from ketav_recognizer.reader_messages import TimedAnswer, from_answer, to_answer

PAGE = ReadPage(20, 10, ())


def test_an_answer_arrives_with_the_times_of_its_stages() -> None:
    """The same answer and the same times."""
    timed = TimedAnswer(PAGE, {"decode": StageTime(5, 7), "network": StageTime(12, 0)})
    assert to_answer(from_answer(timed)) == timed


@pytest.mark.parametrize(
    "stages", [{"user-1": [1, 1]}, {"beam": [1, -1]}, {"beam": ["x", 1]}, [1], {"beam": [1]}]
)
def test_a_reader_cannot_send_other_stages_or_times(stages: object) -> None:
    """An unknown name would be a new series, and a negative time would spoil a sum."""
    message = from_answer(TimedAnswer(PAGE, {})) | {"stages": stages}
    with pytest.raises(BadFrameError):
        to_answer(message)
