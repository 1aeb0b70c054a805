"""The split of the ground truth and the choice of a script."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketav_registry.domain.ground_truth import Place, Split, VerifiedLine, manifest_sha256, split_lines
from ketav_registry.domain.models import Script, is_safetensors
from ketav_registry.domain.training import MIN_LINES, Progress, RunState, chosen_script, plausible

DAY = timedelta(days=1)


def lines_of(pages: dict[int, int], image: int = 0) -> list[VerifiedLine]:
    """Return verified lines: page number → how many; each page has its own image, unless one is named."""
    return [
        VerifiedLine(
            uuid4(), UUID(int=page), bytes([i // 256, i % 256]), uuid4(), "א", (image or page).to_bytes(9)
        )
        for page, count in pages.items()
        for i in range(count)
    ]


def pages_of(sides: dict[Place, Split], side: Split) -> set[UUID]:
    """Return the pages with a line on a side."""
    return {page_id for (page_id, _), found in sides.items() if found is side}


@given(st.dictionaries(st.integers(0, 2**64), st.integers(1, 5), min_size=2, max_size=12))
def test_of_two_or_more_pages_each_is_whole_on_one_side_and_no_side_is_empty(pages: dict[int, int]) -> None:
    """Whatever the pages, lines of one page never train and measure at once."""
    sides = split_lines(lines_of(pages), {})
    train, held_out = pages_of(sides, Split.TRAIN), pages_of(sides, Split.HOLDOUT)
    assert train
    assert held_out
    assert not train & held_out
    assert len(sides) == sum(pages.values())


@given(st.integers(0, 2**64), st.integers(2, 60))
def test_a_single_page_is_split_line_by_line(page: int, count: int) -> None:
    """Both sides have lines, also on a page with two."""
    assert set(split_lines(lines_of({page: count}), {}).values()) == {Split.TRAIN, Split.HOLDOUT}


@given(st.lists(st.dictionaries(st.integers(0, 9), st.integers(1, 9), min_size=1), min_size=2, max_size=5))
def test_a_line_stays_on_its_side_however_the_ground_truth_grows(stages: list[dict[int, int]]) -> None:
    """Each stage adds lines and pages; no line changes sides and no old page's new line breaks its page."""
    counts: dict[int, int] = {}
    before: dict[Place, Split] = {}
    for stage in stages:
        counts |= {page: max(count, counts.get(page, 0)) for page, count in stage.items()}
        sides = split_lines(lines_of(counts), before)
        assert {place: sides[place] for place in before} == before
        before = sides


def test_about_a_fifth_of_many_pages_is_held_out() -> None:
    """The share over 2,000 pages lies within three standard deviations."""
    sides = split_lines(lines_of(dict.fromkeys(range(2000), 1)), {})
    assert abs(len(pages_of(sides, Split.HOLDOUT)) - 400) < 3 * 18


def test_the_split_of_a_page_never_changes_between_releases() -> None:
    """The hash is pinned: these two pages are on these sides for ever."""
    sides = split_lines(lines_of(dict.fromkeys(range(10), 1)), {})
    held_out = sorted(page.int for page in pages_of(sides, Split.HOLDOUT))
    assert held_out == [4, 6]


def test_the_script_with_most_new_lines_is_trained_if_it_has_enough() -> None:
    """A script with too few lines is not chosen over one with enough."""
    have = {Script.SQUARE: 100, Script.RASHI: 40, Script.SEPHARDI: MIN_LINES - 1}
    tried = {Script.SQUARE: (90, DAY)}
    assert chosen_script(have, tried) is Script.RASHI
    assert chosen_script(have, {}) is Script.SQUARE
    assert chosen_script({Script.RASHI: 3, Script.SQUARE: 5}, {}) is Script.SQUARE
    assert chosen_script({}, {}) is Script.MODERN_CURSIVE


@given(st.dictionaries(st.integers(1, 2**64), st.integers(1, 5), min_size=2, max_size=5), st.randoms())
def test_pages_of_the_same_image_are_on_the_same_side_however_they_come(
    pages: dict[int, int], chance: Random
) -> None:
    """An image that was uploaded twice cannot train and measure at once, now or in a later dataset."""
    numbers = sorted(pages)
    chance.shuffle(numbers)
    before: dict[Place, Split] = {}
    others = lines_of({2**64 + 1: 1, 2**64 + 2: 1})
    for count in range(1, len(numbers) + 1):
        same = lines_of({number: pages[number] for number in numbers[:count]}, image=7)
        before = split_lines([*others, *same], before)
        assert len({before[line.page_id, line.place] for line in same}) == 1


def test_the_manifest_depends_on_lines_texts_images_and_sides_only() -> None:
    """Order does not matter; a text, an image or a side does."""
    lines = lines_of({1: 2, 2: 2})
    sides = split_lines(lines, {})
    assert manifest_sha256(lines, sides) == manifest_sha256(lines[::-1], sides)
    for change in ({"text": "ב"}, {"image_sha256": b"other"}, {"line_id": uuid4()}):
        changed = [replace(lines[0], **change), *lines[1:]]
        assert manifest_sha256(changed, sides) != manifest_sha256(lines, sides)
    other = dict(sides)
    other[lines[0].page_id, lines[0].place] = (
        Split.TRAIN if sides[lines[0].page_id, lines[0].place] is Split.HOLDOUT else Split.HOLDOUT
    )
    assert manifest_sha256(lines, other) != manifest_sha256(lines, sides)


@pytest.mark.parametrize(
    ("progress", "fine"),
    [
        (Progress(RunState.RUNNING, 1, 10, 0.5, 0.1, 0.2), True),
        (Progress(RunState.RUNNING, -1, 10), False),
        (Progress(RunState.RUNNING, 1, 10, float("nan")), False),
        (Progress(RunState.RUNNING, 1, 10, None, float("inf")), False),
        (Progress(RunState.RUNNING, 1, 10, None, None, -0.1), False),
    ],
)
def test_only_finite_figures_from_zero_are_taken(progress: Progress, fine: bool) -> None:
    """A diverged training cannot put NaN into the record."""
    assert plausible(progress) is fine


def test_a_safetensors_file_is_told_by_its_header() -> None:
    """The tensors must fill the file exactly; anything else is refused."""
    header = b'{"w":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}'
    whole = len(header).to_bytes(8, "little") + header + b"abc"
    assert is_safetensors(whole, len(whole))
    assert not is_safetensors(whole, len(whole) + 1)
    for bad in (
        b"",
        b"\x80\x04pickle" * 9,
        (5).to_bytes(8, "little") + b"[1,2]",
        (2**60).to_bytes(8, "little") + b"{}",
        (7).to_bytes(8, "little") + b'{"a":1}',
        (4).to_bytes(8, "little") + b"{\xff}}",
    ):
        assert not is_safetensors(bad, len(bad))
