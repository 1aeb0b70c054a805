"""Places of lines, names of objects, and what is taken from the wire."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketav_common.errors import InvalidInput
from ketav_registry.convert import common
from ketav_registry.domain.models import Model, ModelKind, ModelState, ModelVersion, object_key
from ketav_registry.domain.pages import digest_key, image_key
from ketav_registry.domain.transcriptions import Line, places

LINE = Line(0, ((0, 0), (9, 0)), ((0, 0), (9, 0), (9, 5)), "שלום", 0.5)


def test_a_line_has_the_same_place_in_another_reading_whatever_was_read() -> None:
    """Text, order and confidence do not move a line."""
    again = replace(LINE, order=7, text="אחר", confidence=0.1)
    assert places([LINE]) == places([again])


def test_a_line_elsewhere_has_another_place() -> None:
    """One pixel is elsewhere, on the baseline or on the boundary."""
    moved = [replace(LINE, baseline=((0, 1), (9, 0))), replace(LINE, boundary=((0, 0), (9, 0), (9, 6)))]
    assert len(set(places([LINE, *moved]))) == 3


def test_two_lines_of_one_reading_never_share_a_place() -> None:
    """Equal geometry is counted, so that a correction belongs to one of them."""
    first, second = places([LINE, LINE])
    assert first != second
    assert places([LINE, LINE]) == [first, second]


def test_objects_are_named_by_content_and_models_by_their_user() -> None:
    """images/ab/ab…, models/{user}/{version}.safetensors, models/base/{digest}.safetensors."""
    digest = bytes([0xAB]) * 32
    assert digest_key(digest) == f"images/ab/{'ab' * 32}"
    page_id = UUID("cd" * 16)
    assert image_key(page_id) == f"images/cd/{page_id}"
    user_id = UUID(int=5)
    version = ModelVersion(
        Model("v", ModelKind.USER, digest, 1), None, ModelState.AVAILABLE, datetime.now(UTC), user_id
    )
    assert object_key(version) == f"models/{user_id}/v.safetensors"
    assert object_key(replace(version, user_id=None)) == f"models/base/{'ab' * 32}.safetensors"


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)), st.uuids())  # noqa: DTZ001
def test_a_cursor_leads_back_to_where_it_came_from(when: datetime, key: UUID) -> None:
    """To the microsecond, in whatever zone the time was."""
    aware = when.replace(tzinfo=timezone(timedelta(hours=3)))
    assert common.after_id(common.cursor((aware, key))) == (aware, key)


@given(st.text(min_size=1, max_size=80))
def test_a_made_up_cursor_is_refused(word: str) -> None:
    """Whatever it is, the answer is InvalidInput and no other error."""
    with pytest.raises(InvalidInput):
        common.after(word)


@pytest.mark.parametrize("change", [str.upper, lambda text: text])
def test_a_uuid_is_taken_in_its_canonical_form(change: object) -> None:
    """Upper case is the same id."""
    value = uuid4()
    assert callable(change)
    assert common.uuid(change(str(value))) == value


@pytest.mark.parametrize("form", ["{{{}}}", "urn:uuid:{}", " {}", "{}\n", "{}0", ""])
def test_a_uuid_in_another_form_is_refused(form: str) -> None:
    """Python would take some of these; one id has one spelling."""
    with pytest.raises(InvalidInput):
        common.uuid(form.format(uuid4()))
    with pytest.raises(InvalidInput):
        common.uuid(uuid4().hex)
