"""The checks of the operation log find what is lost, stored twice, or answered differently."""

from pathlib import Path

from tests.parts.operation_log import Operation, OperationLog, Stored, StoredImage, check

LINE = "/lines/1"


def upload(content: str, *ids: str) -> Operation:
    """Return an acknowledged upload with the ids of its answers."""
    return Operation("upload", "a", content, 0.0, outcome="acknowledged", results=list(ids))


def correction(content: str) -> Operation:
    """Return an acknowledged correction."""
    return Operation("correction", "a", content, 0.0, outcome="acknowledged", results=["f"], line=LINE)


def stored(*texts: str, **images: str) -> dict[str, Stored]:
    """Return what is stored: the texts of one line, and images with a text, whose file is that text."""
    stored_images = {image_id: StoredImage(text, text) for image_id, text in images.items()}
    return {"a": Stored(stored_images, {LINE: list(texts)})}


def test_what_is_stored_once_is_no_violation() -> None:
    """An upload and two corrections of one line."""
    operations = [upload("page", "one"), correction("x"), correction("y")]
    verdict = check(operations, stored("y", "x", one="page"))
    assert (verdict.acknowledged, verdict.violations) == (3, [])


def test_a_missing_operation_is_lost() -> None:
    """A correction that no history has, an image that is gone, and one that is read otherwise."""
    assert len(check([correction("x")], stored("y")).lost) == 1
    assert len(check([upload("page", "one")], stored(two="page")).lost) == 1
    assert len(check([upload("page", "one")], stored(one="other")).lost) == 1


def test_what_is_stored_twice_is_found_also_without_an_acknowledgement() -> None:
    """Two images with one file, and a text that the history of a line has twice."""
    verdict = check([], stored("x", "x", one="page", two="page"))
    assert len(verdict.duplicated) == 2


def test_two_answers_of_one_key_must_name_the_same_object() -> None:
    """The second image of the key is not lost, but one too many."""
    verdict = check([upload("page", "one", "two")], stored(one="page", two="page"))
    assert len(verdict.winners) == 1


def test_the_file_has_the_call_and_the_outcome(tmp_path: Path) -> None:
    """An operation without an outcome remains as called: the client may have died."""
    log = OperationLog(tmp_path / "log.jsonl")
    called = log.call(Operation("upload", "a", "page", 0.0))
    log.end(called, "unknown", 1.0)
    log.close()
    lines = (tmp_path / "log.jsonl").read_text("utf-8").splitlines()
    assert ['"called"' in lines[0], '"unknown"' in lines[1]] == [True, True]
