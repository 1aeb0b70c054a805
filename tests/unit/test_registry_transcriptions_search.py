"""Words of a query match those of a text as a reader of Hebrew expects."""

import pytest

from ketav_common.errors import InvalidInput
from ketav_registry.domain.transcriptions_search import find, query_words, stems


def score(query: str, text: str) -> float:
    """Return how well a query matches a text; 0 if it does not."""
    hit = find(text, query_words(query))
    return 0.0 if hit is None else hit.score


EQUAL = {
    "the same word": ("שלום", "אמר שלום לכולם"),
    "niqqud in the text": ("שלום", "שָׁלוֹם לְכוּלָם"),
    "niqqud in the query": ("שָׁלוֹם", "שלום"),
    "a final letter": ("מכתב ארוך", "ארוכ מכתב"),
    "punctuation around it": ("כן", 'הוא אמר: "כן!"'),
    "invisible marks": ("שלום", "של\u200fום"),
    "a number": ("1948", "בשנת 1948."),
    "several words in any order": ("לכולם שלום", "שלום לכולם"),
}


@pytest.mark.parametrize(("query", "text"), EQUAL.values(), ids=EQUAL)
def test_equal_words_score_one(query: str, text: str) -> None:
    """Niqqud, final letters and signs around a word are of no account."""
    assert score(query, text) == 1


ALIKE = {
    "a prefix in the text": ("בית", "ראיתי את הבית"),
    "three prefixes in the text": ("בית", "שמהבית יצא"),
    "a prefix in the query": ("הבית", "בית גדול"),
    "different prefixes": ("בבית", "מהבית"),
    "one of four letters misread": ("שלום", "שלוס לכולם"),
    "an inner letter misread": ("שלום", "שגום לכולם"),
    "a letter left out": ("ירושלים", "ירשלים"),
    "two of seven letters misread": ("ירושלים", "יחשלים"),
    "a prefix and a misread letter": ("מכתב", "והמכתכ"),
}


@pytest.mark.parametrize(("query", "text"), ALIKE.values(), ids=ALIKE)
def test_words_with_prefixes_and_errors_match_and_score_less(query: str, text: str) -> None:
    """Less than equal words, and more than nothing."""
    assert 0.5 < score(query, text) < 1


UNLIKE = {
    "another word": ("שלום", "ערב טוב"),
    "one of three letters": ("בית", "בנת"),
    "two of four letters": ("שלום", "שגוס"),
    "one of two words": ("שלום רב", "שלום לכולם"),
    "an empty text": ("שלום", ""),
    "a part of a longer word": ("תן", "נתניה"),
}


@pytest.mark.parametrize(("query", "text"), UNLIKE.values(), ids=UNLIKE)
def test_other_words_do_not_match(query: str, text: str) -> None:
    """Every word of the query must match, and short words exactly."""
    assert score(query, text) == 0


def test_a_match_has_the_code_points_of_its_word() -> None:
    """With the signs around it, in the order of the text."""
    hit = find("אז, שלום לכולם", query_words("כולם שלום"))
    assert hit is not None
    assert [(match.start, match.end) for match in hit.matches] == [(4, 8), (9, 14)]


def test_a_stem_keeps_two_letters() -> None:
    """At most three prefixes are left out."""
    assert list(stems("והבית")) == ["והבית", "הבית", "בית", "ית"]
    assert list(stems("של")) == ["של"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "empty-query"),
        ("?! …", "empty-query"),
        ("א" * 201, "query-too-long"),
        ("אב גד הו זח טי כל מנ סע פצ", "query-too-long"),
    ],
)
def test_a_query_without_words_or_with_too_many_is_refused(query: str, code: str) -> None:
    """The error names the parameter."""
    with pytest.raises(InvalidInput) as refused:
        query_words(query)
    assert refused.value.code == code
    assert refused.value.details["pointer"] == "q"
