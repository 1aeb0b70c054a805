"""Cursors and ids of requests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketav_common.errors import InvalidInput
from ketav_registry.convert import common
from ketav_registry.domain.requests import ListPosition
from tests.parts.registry import acting

USER = UUID("6d1c8f4e-2b7a-4e0d-9c53-0a1b2c3d4e5f")


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)), st.uuids())  # noqa: DTZ001
def test_a_cursor_leads_to_its_position(time: datetime, key: UUID) -> None:
    """To the microsecond, in every time zone."""
    position = ListPosition(time.replace(tzinfo=timezone(timedelta(hours=3))), key)
    with acting(USER):
        assert common.id_position(common.cursor(position, "runs"), "runs") == position


@given(st.text(min_size=1, max_size=80))
def test_a_forged_cursor_is_refused(cursor: str) -> None:
    """Every text raises InvalidInput and no other error."""
    with acting(USER), pytest.raises(InvalidInput):
        common.position(cursor, "runs")


@pytest.mark.parametrize("key", ["hebrew_base-1", "", "7", "a" * 400])
def test_a_cursor_of_another_list_is_refused_as_a_cursor(key: str) -> None:
    """Its position has a name where this list has ids."""
    with acting(USER):
        cursor = common.cursor(ListPosition(datetime(2026, 1, 1, tzinfo=UTC), key), "runs")
        with pytest.raises(InvalidInput) as caught:
            common.id_position(cursor, "runs")
    assert (caught.value.code, caught.value.details) == ("invalid-cursor", {"pointer": "cursor"})


@pytest.mark.parametrize(("user", "listed"), [(USER, "models"), (uuid4(), "runs")], ids=["list", "user"])
def test_a_cursor_belongs_to_one_list_of_one_user(user: UUID, listed: str) -> None:
    """A cursor that is pasted into another list would skip a part of it without a word."""
    with acting(USER):
        cursor = common.cursor(ListPosition(datetime(2026, 1, 1, tzinfo=UTC), uuid4()), "runs")
    with acting(user), pytest.raises(InvalidInput) as caught:
        common.id_position(cursor, listed)
    assert caught.value.code == "invalid-cursor"


@pytest.mark.parametrize("change", [str.upper, str.lower])
def test_a_uuid_is_accepted_in_its_canonical_form(change: Callable[[str], str]) -> None:
    """Upper case is the same id."""
    value = uuid4()
    assert common.uuid(change(str(value)), "page_id") == value


@pytest.mark.parametrize("form", ["{{{}}}", "urn:uuid:{}", " {}", "{}\n", "{}0", ""])
def test_a_uuid_in_another_form_is_refused(form: str) -> None:
    """Python parses some of these forms; an id has one spelling. The error names the field."""
    for value in (form.format(uuid4()), uuid4().hex):
        with pytest.raises(InvalidInput, match="page_id") as caught:
            common.uuid(value, "page_id")
        assert caught.value.details == {"pointer": "/page_id"}
