"""Taking corrections: line by line, or a page's whole text aligned to its lines."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from rapidfuzz.distance import Levenshtein

from ketav_common import text
from ketav_common.errors import InvalidInput, NotFound, Precondition
from ketav_common.limits import MAX_CORRECTIONS, MAX_PAGE_CODE_POINTS, MAX_PAGE_LINES
from ketav_registry.database import Database, Raced, Transaction
from ketav_registry.domain import corrections_quarantine
from ketav_registry.domain.corrections import Correction, Feedback, Unaligned
from ketav_registry.domain.corrections_alignment import THRESHOLD, align
from ketav_registry.domain.corrections_quarantine import Evidence, Limits
from ketav_registry.domain.pages import Page
from ketav_registry.domain.requests import Request
from ketav_registry.domain.transcriptions import Line
from ketav_registry.repository import corrections, models, pages, projects, transcriptions
from ketav_registry.usecases.pages import NO_PAGE

_NOT_FOUND = "no line of the page reads like this text"
_NO_TEXT = "no line of the text reads like this line of the page"
DEFAULTS = Limits()
_AMBIGUOUS = "more than one way of aligning this is as good"

Accepted = tuple[list[Correction], list[Unaligned]]


async def save_feedback(
    user_id: UUID,
    image_id: UUID,
    corrected_text: str | Sequence[Correction],
    *,
    project_id: UUID,
    request: Request,
    database: Database,
    limits: Limits = DEFAULTS,
) -> Feedback:
    """Store corrections of a page's latest transcription, in one transaction; append-only.

    `corrected_text` is the page's whole text, a line of it per line, or corrections by line id. What looks
    wrong by `limits` is stored in quarantine. A repeated request gives the first answer. NotFound: no such
    page. InvalidInput: unknown-line, duplicate-line, or a text that may not be stored. Precondition: the
    page was not read yet.
    """
    cleaned = _texts(corrected_text) if isinstance(corrected_text, str) else _cleaned(corrected_text)
    try:
        return await _save(user_id, (project_id, image_id), cleaned, request, database, limits)
    except Raced:
        return await _save(user_id, (project_id, image_id), cleaned, request, database, limits)


async def _save(
    user_id: UUID,
    place: tuple[UUID, UUID],
    corrected: list[str] | list[Correction],
    request: Request,
    database: Database,
    limits: Limits,
) -> Feedback:
    """Store clean corrections of a page (project, page)."""
    async with database.user(user_id) as transaction:
        page = await _read_page(transaction, user_id, *place)
        known = await corrections.find_requested_feedback(transaction, user_id, request)
        if known is not None:
            return known
        if page.transcription is None:
            raise Precondition("the page was not read yet", code="page-not-read")
        accepted, unaligned = await _accept(page.transcription.lines, corrected)
        alphabet = await writable(transaction, user_id, page)
        doubted = judged(accepted, page.transcription.lines, alphabet, limits)
        stored = await corrections.insert_feedback(transaction, user_id, page, doubted, unaligned, request)
        if stored is None:
            raise Raced
        return stored


async def _read_page(transaction: Transaction, user_id: UUID, project_id: UUID, page_id: UUID) -> Page:
    """Lock a page of the user and return it with its latest transcription."""
    page = await pages.find_page(transaction, user_id, page_id, project_id, lock=True)
    if page is None:
        raise NotFound(NO_PAGE)
    [page] = await transcriptions.with_transcriptions(transaction, user_id, [page])
    return page


def _cleaned(sent: Sequence[Correction]) -> list[Correction]:
    """Clean corrections by line id; each line may be there once."""
    if not 1 <= len(sent) <= MAX_CORRECTIONS:
        raise InvalidInput(f"1 to {MAX_CORRECTIONS} lines may be corrected at once", code="line-count")
    if len({each.line_id for each in sent}) != len(sent):
        raise InvalidInput("a line is corrected twice", code="duplicate-line")
    return [replace(each, text=text.clean(each.text)) for each in sent]


def _texts(corrected_text: str) -> list[str]:
    """Cut a page's text into clean lines; empty ones do not count."""
    if len(corrected_text) > MAX_PAGE_CODE_POINTS:
        raise InvalidInput(
            f"a page's text has at most {MAX_PAGE_CODE_POINTS} code points", code="text-too-long"
        )
    cut = corrected_text.replace("\r\n", "\n").split("\n")
    lines = [clean for line in cut if (clean := text.clean(line))]
    if not 1 <= len(lines) <= MAX_PAGE_LINES:
        raise InvalidInput(f"a page's text has 1 to {MAX_PAGE_LINES} lines", code="line-count")
    return lines


async def writable(transaction: Transaction, user_id: UUID, page: Page) -> frozenset[str] | None:
    """Return what the model can write that a training on this page's lines would start from."""
    project = await projects.find_project(transaction, user_id, page.project_id)
    model = None if project is None else await models.serving_model(transaction, user_id, project.script)
    return None if model is None else model.alphabet


def judged(
    accepted: Sequence[Correction], lines: Sequence[Line], alphabet: frozenset[str] | None, limits: Limits
) -> list[Correction]:
    """Return the corrections, each with the reason to quarantine it, if there is one."""
    by_id = {line.line_id: line for line in lines}
    found = []
    for each in accepted:
        line = by_id[each.line_id]
        evidence = Evidence(
            read=line.text,
            confidence=line.confidence,
            verified=None if line.quarantine else line.corrected_text,
            room=corrections_quarantine.room(line.baseline, line.boundary),
            alphabet=alphabet,
        )
        doubt = corrections_quarantine.judge(each.text, evidence, limits, _likeness, confirmed=each.confirmed)
        found.append(replace(each, quarantine=doubt))
    return found


async def _accept(lines: Sequence[Line], corrected: list[str] | list[Correction]) -> Accepted:
    """Say which line each correction belongs to, and what belongs to none."""
    by_line = [each for each in corrected if isinstance(each, Correction)]
    if by_line:
        known = {line.line_id for line in lines}
        if not all(each.line_id in known for each in by_line):
            raise InvalidInput("a line is not on the page's latest transcription", code="unknown-line")
        return by_line, []
    texts = [each for each in corrected if isinstance(each, str)]
    return await asyncio.to_thread(_aligned, lines, texts)


def _aligned(lines: Sequence[Line], texts: Sequence[str]) -> Accepted:
    """Align a page's corrected text to its lines by edit distance, letters only compared."""
    shown = [line.text if line.corrected_text is None else line.corrected_text for line in lines]
    found = align([_letters(each) for each in shown], [_letters(each) for each in texts], _distance)
    ids = [line.line_id for line in lines]
    accepted = [Correction(line_id, texts[j]) for i, j in found.pairs if (line_id := ids[i]) is not None]
    unaligned = [
        Unaligned(texts[j], None, _AMBIGUOUS if j in found.ambiguous_texts else _NOT_FOUND)
        for j in found.texts
    ]
    unaligned += [
        Unaligned("", ids[i], _AMBIGUOUS if i in found.ambiguous_lines else _NO_TEXT) for i in found.lines
    ]
    return accepted, unaligned


def _letters(line: str) -> str:
    """Return what counts in comparing lines: no niqqud, one space between words."""
    return " ".join(text.strip_niqqud(line).split())


def _likeness(one: str, other: str) -> float:
    """Return the edit distance of two texts as a share of the longer one; only what counts is compared."""
    return float(Levenshtein.normalized_distance(_letters(one), _letters(other)))


def _distance(one: str, other: str) -> float:
    """Return the edit distance as a share of the longer text, cut off behind the threshold."""
    return float(Levenshtein.normalized_distance(one, other, score_cutoff=THRESHOLD))
