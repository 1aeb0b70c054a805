"""Corrections: line by line, or the whole text of a page, which is aligned to its lines."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from rapidfuzz.distance import Levenshtein

from ketav_common import text
from ketav_common.error_rates import cer
from ketav_common.errors import InvalidInput, Precondition
from ketav_common.limits import MAX_CORRECTIONS, MAX_PAGE_CODE_POINTS, MAX_PAGE_LINES
from ketav_registry import metrics
from ketav_registry.database import Transaction, UniqueConflictError
from ketav_registry.domain.corrections import Correction, Feedback, UnalignedLine
from ketav_registry.domain.corrections_alignment import MAX_DISTANCE, align
from ketav_registry.domain.corrections_quarantine import (
    Evidence,
    QuarantineLimits,
    check_correction,
    count_squares,
)
from ketav_registry.domain.models import Script
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.requests import RequestKey
from ketav_registry.domain.transcriptions import Line
from ketav_registry.repository import corrections, models, transcriptions
from ketav_registry.stores import Stores
from ketav_registry.usecases.pages import require_page
from ketav_registry.usecases.projects import require_project
from ketav_registry.usecases.requests import stored_field

DEFAULT_LIMITS = QuarantineLimits()
_EMPTY_PAGE = (
    "The page has no line that could get this text. Send the image again to POST /ocr/, with layout=line if "
    "it shows a single line."
)
_NO_LINE = "No line of the page reads like this text. Send the text with the id of its line."
_NO_TEXT = "No line of the text matches this line of the page. Send its text with the id of the line."
_SEVERAL_LINES = "This text matches several lines equally well. Send the text with the id of its line."
_SEVERAL_TEXTS = "Several texts match this line equally well. Send its text with the id of the line."


@dataclass(frozen=True, slots=True)
class _PageCorrection:
    """A page and what its user submits: one text a line in reading order, or corrections by line id."""

    project_id: UUID
    page_id: UUID
    corrected: list[str] | list[Correction]
    request: RequestKey


@dataclass(frozen=True, slots=True)
class _AlignedCorrections:
    """Corrections of known lines, and the texts and lines without a partner."""

    accepted: list[Correction]
    unaligned: list[UnalignedLine]


async def save_feedback(
    user_id: UUID,
    image_id: UUID,
    corrected_text: str | Sequence[Correction],
    *,
    project_id: UUID,
    request: RequestKey,
    stores: Stores,
    limits: QuarantineLimits = DEFAULT_LIMITS,
) -> Feedback:
    """Store corrections of a page's latest transcription, append-only, in one transaction.

    `corrected_text` is the text of the whole page with one line of it for each line of the page, or
    corrections by line id. Corrections beyond `limits` are stored in quarantine. A repeated request gets the
    first response. NotFound: no such page. InvalidInput: unknown-line, duplicate-line, or a text that may not
    be stored. Precondition page-not-read: the page has no transcription.
    """
    lines = _text_lines(corrected_text) if isinstance(corrected_text, str) else _clean(corrected_text)
    page_correction = _PageCorrection(project_id, image_id, lines, request)
    try:
        return await _save(user_id, page_correction, limits, stores)
    except UniqueConflictError:
        return await _save(user_id, page_correction, limits, stores)


async def _save(
    user_id: UUID, submitted: _PageCorrection, limits: QuarantineLimits, stores: Stores
) -> Feedback:
    """Store clean corrections of a page. Precondition page-not-read: it has no transcription."""
    async with stores.database.user(user_id) as transaction:
        page = await require_page(transaction, user_id, submitted.project_id, submitted.page_id, lock=True)
        [page] = await transcriptions.with_transcriptions(transaction, user_id, [page])
        known = await corrections.find_requested_feedback(transaction, user_id, submitted.request)
        if known is not None:
            return known
        if page.transcription is None:
            raise Precondition(
                "The page has no transcription that could be corrected. "
                "Read it first with POST /projects/PROJECT_ID/images/IMAGE_ID/ocr.",
                code="page-not-read",
            )
        aligned = await _align(page.transcription.lines, submitted.corrected)
        project = await require_project(transaction, user_id, page.project_id)
        alphabet = await known_alphabet(transaction, user_id, project.hand)
        checked = with_quarantines(aligned.accepted, page.transcription.lines, alphabet, limits)
        feedback = await corrections.insert_feedback(
            transaction, user_id, page, checked, aligned.unaligned, submitted.request
        )
        if feedback is None:
            raise UniqueConflictError
    _measure(project.script, page.transcription.lines, checked)
    return feedback


def _measure(script: Script, lines: Sequence[Line], checked: Sequence[Correction]) -> None:
    """Count stored corrections, and observe the CER of the readings of lines that had none before."""
    lines_by_id = {line.line_id: line for line in lines}
    for correction in checked:
        state = "accepted" if correction.quarantine is None else "quarantined"
        metrics.CORRECTIONS.labels(script, state).inc()
        line = lines_by_id[correction.line_id]
        if correction.quarantine is None and line.corrected_text is None:
            rate = cer([(correction.text, line.text)]).rate
            metrics.CORRECTION_CER.labels(script).observe(rate)


def _clean(submitted: Sequence[Correction]) -> list[Correction]:
    """Return the corrections with clean texts, in the same order.

    InvalidInput line-count: none or more than MAX_CORRECTIONS. InvalidInput duplicate-line: two have the same
    line_id. InvalidInput: a text may not be stored.
    """
    if not 1 <= len(submitted) <= MAX_CORRECTIONS:
        raise InvalidInput(
            f"The request corrects {len(submitted):,} lines. Send 1 to {MAX_CORRECTIONS:,} lines.",
            code="line-count",
            details={"pointer": "/lines"},
        )
    indexes: dict[UUID, int] = {}
    for index, correction in enumerate(submitted):
        first = indexes.setdefault(correction.line_id, index)
        if first != index:
            raise InvalidInput(
                f"/lines/{first} and /lines/{index} correct the same line. Send each line once.",
                code="duplicate-line",
                details={"pointer": f"/lines/{index}/line_id", "line_id": str(correction.line_id)},
            )
    cleaned = []
    for index, correction in enumerate(submitted):
        location = {"pointer": f"/lines/{index}/text", "line_id": str(correction.line_id)}
        cleaned.append(replace(correction, text=stored_field(correction.text, location)))
    return cleaned


def _text_lines(corrected_text: str) -> list[str]:
    """Split a page's text into clean lines without the empty ones.

    InvalidInput: the text or a line is too long or may not be stored (text-too-long and others), or the
    number of lines is outside 1 to MAX_PAGE_LINES (line-count).
    """
    field = {"pointer": "/corrected_text"}
    if len(corrected_text) > MAX_PAGE_CODE_POINTS:
        raise InvalidInput(
            f"The text of the page has {len(corrected_text):,} code points. "
            f"Send at most {MAX_PAGE_CODE_POINTS:,}.",
            code="text-too-long",
            details=field,
        )
    texts = corrected_text.replace("\r\n", "\n").split("\n")
    numbered = enumerate(texts, start=1)
    lines = [line for number, item in numbered if (line := stored_field(item, field | {"line": str(number)}))]
    if not 1 <= len(lines) <= MAX_PAGE_LINES:
        raise InvalidInput(
            f"The text of the page has {len(lines):,} lines. Send 1 to {MAX_PAGE_LINES:,} lines.",
            code="line-count",
            details=field,
        )
    return lines


async def known_alphabet(transaction: Transaction, user_id: UUID, hand: Hand) -> frozenset[str] | None:
    """Return the characters of the model that serves a hand and of its script's base; None when unknown.

    A model that descends from an older base may lack characters of the present one, from which the hand will
    be trained.
    """
    serving = await models.serving_model(transaction, user_id, hand)
    base = await models.base_model(transaction, hand.script)
    if serving is None or serving.alphabet is None or base is None or base.alphabet is None:
        return None if serving is None else serving.alphabet
    return serving.alphabet | base.alphabet


def with_quarantines(
    accepted: Sequence[Correction],
    lines: Sequence[Line],
    alphabet: frozenset[str] | None,
    limits: QuarantineLimits,
) -> list[Correction]:
    """Return the corrections, those that look wrong with the reason of their quarantine."""
    lines_by_id = {line.line_id: line for line in lines}
    checked = []
    for correction in accepted:
        line = lines_by_id[correction.line_id]
        evidence = Evidence(
            reading=line.text,
            confidence=line.confidence,
            verified_text=None if line.quarantine else line.corrected_text,
            squares=count_squares(line.baseline, line.boundary),
            alphabet=alphabet,
        )
        quarantine = check_correction(
            correction.text, evidence, limits, _text_distance, confirmed=correction.confirmed
        )
        checked.append(replace(correction, quarantine=quarantine))
    return checked


async def _align(lines: Sequence[Line], corrected: list[str] | list[Correction]) -> _AlignedCorrections:
    """Return each correction with its line, and the texts and lines without a partner.

    InvalidInput unknown-line: a correction has the id of a line that is not one of `lines`.
    """
    by_line = [item for item in corrected if isinstance(item, Correction)]
    if by_line:
        known_ids = {line.line_id for line in lines}
        for index, correction in enumerate(by_line):
            if correction.line_id not in known_ids:
                raise InvalidInput(
                    f"/lines/{index} of the request is not a line of the page's latest transcription. "
                    "Get the page again and send the ids of its lines.",
                    code="unknown-line",
                    details={"pointer": f"/lines/{index}/line_id", "line_id": str(correction.line_id)},
                )
        return _AlignedCorrections(by_line, [])
    texts = [item for item in corrected if isinstance(item, str)]
    return await asyncio.to_thread(_align_texts, lines, texts)


def _align_texts(lines: Sequence[Line], texts: Sequence[str]) -> _AlignedCorrections:
    """Align the texts of a page to its lines by edit distance; niqqud and white space are not compared."""
    current = [line.text if line.corrected_text is None else line.corrected_text for line in lines]
    alignment = align(
        [_comparable_text(item) for item in current], [_comparable_text(item) for item in texts], _distance
    )
    ids = [line.line_id for line in lines]
    no_line = _NO_LINE if lines else _EMPTY_PAGE
    accepted = [Correction(line_id, texts[j]) for i, j in alignment.pairs if (line_id := ids[i]) is not None]
    unaligned = [
        UnalignedLine(texts[j], None, _SEVERAL_LINES if j in alignment.ambiguous_texts else no_line)
        for j in alignment.unpaired_texts
    ]
    unaligned += [
        UnalignedLine("", ids[i], _SEVERAL_TEXTS if i in alignment.ambiguous_lines else _NO_TEXT)
        for i in alignment.unpaired_lines
    ]
    return _AlignedCorrections(accepted, unaligned)


def _comparable_text(line: str) -> str:
    """Return a text without niqqud and with single spaces, as texts are compared."""
    return " ".join(text.strip_niqqud(line).split())


def _text_distance(one: str, other: str) -> float:
    """Return the edit distance divided by the longer text, 0 to 1, without niqqud and repeated spaces."""
    return float(Levenshtein.normalized_distance(_comparable_text(one), _comparable_text(other)))


def _distance(one: str, other: str) -> float:
    """Return the edit distance divided by the length of the longer text; 1 if it exceeds MAX_DISTANCE."""
    return float(Levenshtein.normalized_distance(one, other, score_cutoff=MAX_DISTANCE))
