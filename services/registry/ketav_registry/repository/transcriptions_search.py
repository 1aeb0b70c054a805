"""Lines whose text may contain the words of a query.

PostgreSQL evaluates the trigrams of pg_trgm on the lines of the user alone. Row-level security does not let
an index of trigrams decide before the policy does, because its functions are not leakproof, so the indexes
that are used are those of the user's pages and lines.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from ketav_common.text import FINAL_LETTERS, NIQQUD
from ketav_registry.database import Transaction
from ketav_registry.domain.transcriptions import Line
from ketav_registry.domain.transcriptions_search import MAX_PREFIXES, PREFIXES, stems
from ketav_registry.repository.transcriptions import latest_correction, line_of
from ketav_registry.tables import correction, line, page, transcription

_MIN_SIMILARITY: Final = 0.25
"""Word similarity of a word of four letters with one in which an inner letter differs; `find` decides."""
Candidate = tuple[UUID, UUID, Line]
"""Project and page of a line, and the line."""
_REGEX_CHARACTERS: Final = str.maketrans({character: f"\\{character}" for character in r".^$*+?()[]{}|\-"})


async def candidates(
    transaction: Transaction, user_id: UUID, project_id: UUID | None, words: Sequence[str], limit: int
) -> list[Candidate]:
    """Return project, page and line of the lines that are most similar to the words, at most `limit`.

    They are lines of the latest transcriptions whose reading, or a correction of which, may match.
    """
    rows = await transaction.execute(candidates_query(user_id, project_id, words, limit))
    return [(row.project_id, row.page_id, line_of(row, verified_text=row.verified_text)) for row in rows]


def candidates_query(
    user_id: UUID, project_id: UUID | None, words: Sequence[str], limit: int
) -> sa.Select[Any]:
    """Return the query of `candidates`: lines with their project and their verified text."""
    read = (
        sa.select(line.c.id, _similarity(line.c.text, words).label("similarity"))
        .select_from(_latest_lines())
        .where(*_scope(user_id, project_id), _may_match(line.c.text, words))
    )
    corrected = (
        sa.select(line.c.id, _similarity(correction.c.text, words).label("similarity"))
        .select_from(
            _latest_lines().join(
                correction,
                sa.and_(
                    correction.c.page_id == line.c.page_id,
                    correction.c.geometry_sha256 == line.c.geometry_sha256,
                    correction.c.user_id == line.c.user_id,
                ),
            )
        )
        .where(*_scope(user_id, project_id), _may_match(correction.c.text, words))
    )
    either = sa.union_all(read, corrected).subquery()
    best = (
        sa.select(either.c.id, sa.func.max(either.c.similarity).label("similarity"))
        .group_by(either.c.id)
        .order_by(sa.desc("similarity"), either.c.id)
        .limit(limit)
        .subquery()
    )
    deciding = latest_correction(deciding=True)
    return (
        sa.select(
            line,
            page.c.project_id,
            sa.case((~deciding.c.withdrawn, deciding.c.text)).label("verified_text"),
        )
        .select_from(best.join(line, line.c.id == best.c.id).join(page, page.c.id == line.c.page_id))
        .outerjoin(deciding, sa.true())
        .order_by(page.c.created_at, page.c.id, line.c.order)
    )


def _latest_lines() -> sa.Join:
    """Return the lines of the latest transcription of each page."""
    latest = sa.and_(transcription.c.page_id == page.c.id, transcription.c.number == page.c.readings)
    return page.join(transcription, latest).join(line, line.c.transcription_id == transcription.c.id)


def _scope(user_id: UUID, project_id: UUID | None) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for the lines of a user, or of one of their projects."""
    conditions = [page.c.user_id == user_id, line.c.user_id == user_id]
    return conditions if project_id is None else [*conditions, page.c.project_id == project_id]


def _folded(text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Return a text without niqqud and final letters, almost as `searched` makes it."""
    decomposed = sa.func.normalize(text, sa.literal_column("NFD"))
    plain = sa.func.regexp_replace(decomposed, NIQQUD.pattern, "", "g")
    return sa.func.translate(plain, *map("".join, zip(*FINAL_LETTERS, strict=True)))


def _may_match(text: sa.ColumnElement[str], words: Sequence[str]) -> sa.ColumnElement[bool]:
    """Return the condition that each word is in a text, with prefixes, or is similar to a part of it."""
    folded = _folded(text)
    return sa.and_(
        *(
            sa.or_(
                folded.regexp_match(_pattern(word)), sa.func.word_similarity(word, folded) >= _MIN_SIMILARITY
            )
            for word in words
        )
    )


def _similarity(text: sa.ColumnElement[str], words: Sequence[str]) -> sa.ColumnElement[Any]:
    """Return the sum of the similarities of words to a text; a word that is in it counts 1."""
    folded = _folded(text)
    terms = [
        sa.case((folded.regexp_match(_pattern(word)), 1.0), else_=sa.func.word_similarity(word, folded))
        for word in words
    ]
    return sum(terms[1:], start=terms[0])


def _pattern(word: str) -> str:
    """Return the regular expression of a word, or its stem, with prefixes or without."""
    alternatives = "|".join(stem.translate(_REGEX_CHARACTERS) for stem in stems(word))
    return f"(^|[^[:alnum:]])[{PREFIXES}]{{0,{MAX_PREFIXES}}}({alternatives})($|[^[:alnum:]])"
