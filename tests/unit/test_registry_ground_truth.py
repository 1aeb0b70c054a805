"""The split of the ground truth and the manifest of a dataset."""

from dataclasses import replace
from random import Random
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from ketav_registry.domain.ground_truth import Split, VerifiedLine, manifest_sha256, split_lines
from ketav_registry.domain.transcriptions import LineKey


def lines_of(pages: dict[int, int], image: int = 0) -> list[VerifiedLine]:
    """Return so many verified lines of each page; pages have different images, or all the given one."""
    return [
        VerifiedLine(
            uuid4(), LineKey(UUID(int=page), index.to_bytes(2)), uuid4(), "א", (image or page).to_bytes(9)
        )
        for page, count in pages.items()
        for index in range(count)
    ]


def pages_of(sides: dict[LineKey, Split], side: Split) -> set[UUID]:
    """Return the pages with a line on a side."""
    return {key.page_id for key, side_of_line in sides.items() if side_of_line is side}


@given(st.dictionaries(st.integers(0, 2**64), st.integers(1, 5), min_size=2, max_size=12))
def test_of_two_or_more_pages_each_is_on_one_side_and_no_side_is_empty(pages: dict[int, int]) -> None:
    """Whatever the pages, the lines of a page never train and measure at once."""
    sides = split_lines(lines_of(pages), {})
    train, holdout = pages_of(sides, Split.TRAIN), pages_of(sides, Split.HOLDOUT)
    assert train
    assert holdout
    assert not train & holdout
    assert len(sides) == sum(pages.values())


@given(st.integers(0, 2**64), st.integers(2, 60))
def test_a_single_page_is_split_line_by_line(page: int, count: int) -> None:
    """Both sides have lines, also of a page with two lines."""
    assert set(split_lines(lines_of({page: count}), {}).values()) == {Split.TRAIN, Split.HOLDOUT}


@given(st.lists(st.dictionaries(st.integers(0, 9), st.integers(1, 9), min_size=1), min_size=2, max_size=5))
def test_a_line_stays_on_its_side_when_the_ground_truth_grows(stages: list[dict[int, int]]) -> None:
    """Each stage adds lines and pages; no line changes its side."""
    counts: dict[int, int] = {}
    previous: dict[LineKey, Split] = {}
    for stage in stages:
        counts |= {page: max(count, counts.get(page, 0)) for page, count in stage.items()}
        sides = split_lines(lines_of(counts), previous)
        assert {key: sides[key] for key in previous} == previous
        previous = sides


def test_about_a_fifth_of_many_pages_is_held_out() -> None:
    """The share of 2,000 pages is within three standard deviations."""
    sides = split_lines(lines_of(dict.fromkeys(range(2000), 1)), {})
    assert abs(len(pages_of(sides, Split.HOLDOUT)) - 400) < 3 * 18


def test_the_side_of_a_page_never_changes_between_releases() -> None:
    """The hash function is fixed: of these ten pages, two are held out."""
    sides = split_lines(lines_of(dict.fromkeys(range(10), 1)), {})
    assert sorted(page.int for page in pages_of(sides, Split.HOLDOUT)) == [4, 6]


@given(st.dictionaries(st.integers(1, 2**64), st.integers(1, 5), min_size=2, max_size=5), st.randoms())
def test_pages_with_the_same_image_are_on_the_same_side_in_any_order(
    pages: dict[int, int], chance: Random
) -> None:
    """An image that was uploaded twice cannot train and measure, in this dataset or a later one."""
    numbers = sorted(pages)
    chance.shuffle(numbers)
    previous: dict[LineKey, Split] = {}
    others = lines_of({2**64 + 1: 1, 2**64 + 2: 1})
    for count in range(1, len(numbers) + 1):
        same = lines_of({number: pages[number] for number in numbers[:count]}, image=7)
        previous = split_lines([*others, *same], previous)
        assert len({previous[line.key] for line in same}) == 1


def test_the_manifest_depends_on_lines_texts_images_and_sides_only() -> None:
    """The order does not change it; a line, a text, an image or a side does."""
    lines = lines_of({1: 2, 2: 2})
    sides = split_lines(lines, {})
    assert manifest_sha256(lines, sides) == manifest_sha256(lines[::-1], sides)
    for change in ({"text": "ב"}, {"image_sha256": b"other"}, {"line_id": uuid4()}):
        changed = [replace(lines[0], **change), *lines[1:]]
        assert manifest_sha256(changed, sides) != manifest_sha256(lines, sides)
    key = lines[0].key
    other_side = Split.TRAIN if sides[key] is Split.HOLDOUT else Split.HOLDOUT
    assert manifest_sha256(lines, sides | {key: other_side}) != manifest_sha256(lines, sides)


@given(st.integers(0, 2**64), st.integers(4, 40), st.randoms())
def test_an_edited_line_is_on_the_side_of_the_lines_that_it_replaces(
    page: int, count: int, random: Random
) -> None:
    """A line that has trained never measures; one that was held out does not train."""
    lines = lines_of({page: count})
    previous = split_lines(lines, {})
    replaced = random.sample(lines, 2)
    merged = replace(
        lines[0],
        key=LineKey(lines[0].key.page_id, b"merged"),
        replaces=tuple(line.key.geometry_sha256 for line in replaced),
    )
    remaining = [line for line in lines if line not in replaced]
    after = split_lines([*remaining, merged], previous)
    expected = {previous[line.key] for line in replaced}
    assert after[merged.key] is (Split.TRAIN if Split.TRAIN in expected else Split.HOLDOUT)
    assert {line.key: after[line.key] for line in remaining} == {
        line.key: previous[line.key] for line in remaining
    }
