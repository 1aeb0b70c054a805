"""Corrections: line by line, or the whole text of a page, which is aligned to its lines."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from rapidfuzz.distance import Levenshtein

from ketav_common import text
from ketav_common.error_rates import cer
from ketav_common.errors import Changed, InvalidInput, Precondition
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
from ketav_registry.domain.members import Role
from ketav_registry.domain.models import Script
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.requests import RequestKey
from ketav_registry.domain.transcriptions import Line
from ketav_registry.repository import corrections, models, transcriptions
from ketav_registry.stores import Stores
from ketav_registry.usecases.corrections_texts import (
    SubmittedTexts,
    clean_corrections,
    clean_page_text,
    untrained_lines,
)
from ketav_registry.usecases.pages import require_page
from ketav_registry.usecases.projects import require_project

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
    texts: SubmittedTexts
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
    corrections by line id. Corrections beyond `limits` are stored in quarantine; a text that may not be
    stored is refused alone. A repeated request gets the first response. NotFound: no such page. InvalidInput:
    unknown-line, duplicate-line, or no text may be stored. Precondition page-not-read: the page has no
    transcription.
    """
    texts = (
        clean_page_text(corrected_text)
        if isinstance(corrected_text, str)
        else clean_corrections(corrected_text)
    )
    page_correction = _PageCorrection(project_id, image_id, texts, request)
    try:
        return await _save(user_id, page_correction, limits, stores)
    except UniqueConflictError:
        return await _save(user_id, page_correction, limits, stores)


async def _save(
    user_id: UUID, submitted: _PageCorrection, limits: QuarantineLimits, stores: Stores
) -> Feedback:
    """Store clean corrections of a page. Precondition page-not-read: it has no transcription."""
    async with stores.database.project(user_id, submitted.project_id, Role.EDITOR) as scope:
        transaction, owner_id, request = scope.transaction, scope.owner_id, scope.key(submitted.request)
        page = await require_page(transaction, owner_id, submitted.project_id, submitted.page_id, lock=True)
        [page] = await transcriptions.with_transcriptions(transaction, owner_id, [page])
        known = await corrections.find_requested_feedback(transaction, owner_id, request)
        if known is not None:
            return known
        if page.transcription is None:
            raise Precondition(
                "The page has no transcription that could be corrected. "
                "Read it first with POST /projects/PROJECT_ID/images/IMAGE_ID/ocr.",
                code="page-not-read",
            )
        aligned = await _align(page.transcription.lines, submitted.texts)
        _check_seen(aligned.accepted, page.transcription.lines)
        project = await require_project(transaction, owner_id, page.project_id)
        alphabet = await known_alphabet(transaction, owner_id, project.hand)
        checked = with_quarantines(aligned.accepted, page.transcription.lines, alphabet, limits)
        feedback = await corrections.insert_feedback(
            transaction,
            owner_id,
            page,
            checked,
            aligned.unaligned,
            request,
            refused=submitted.texts.refused,
            untrained=untrained_lines(checked, alphabet),
        )
        if feedback is None:
            raise UniqueConflictError
    _measure(project.script, page.transcription.lines, checked)
    return feedback


def _check_seen(accepted: Sequence[Correction], lines: Sequence[Line]) -> None:
    """Raise Changed for the first correction of a line that has another latest one than its user has seen."""
    latest = {line.line_id: str(line.correction_id or "") for line in lines}
    for correction in accepted:
        if correction.seen_correction_id not in {None, latest[correction.line_id]}:
            raise Changed(
                "The line was corrected after you have read it. Get the image again and decide which text is "
                "right.",
                code="line-changed",
                details={"line_id": str(correction.line_id)},
            )


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
            verified_text=line.verified_text or None,
            squares=count_squares(line.baseline, line.boundary),
            alphabet=alphabet,
        )
        quarantine = check_correction(
            correction.text, evidence, limits, _text_distance, confirmed=correction.confirmed
        )
        checked.append(replace(correction, quarantine=quarantine))
    return checked


async def _align(lines: Sequence[Line], submitted: SubmittedTexts) -> _AlignedCorrections:
    """Return each correction with its line, and the texts and lines without a partner.

    InvalidInput unknown-line: a correction has the id of a line that is not one of `lines`.
    """
    corrected = submitted.corrected
    by_line = [item for item in corrected if isinstance(item, Correction)]
    if by_line:
        known_ids = {line.line_id for line in lines}
        for correction in by_line:
            if correction.line_id not in known_ids:
                index = submitted.indexes[correction.line_id]
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
    known = [_known_texts(line) for line in lines]
    alignment = align(known, [_comparable_text(item) for item in texts], _line_distance)
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


@dataclass(frozen=True, slots=True)
class _KnownTexts:
    """The texts that a line of the page is known by, and the cost of using the verified one."""

    reading: str
    verified: str | None
    penalty: float


def _known_texts(line: Line) -> _KnownTexts:
    """Return the reading and the verified text of a line.

    A verified text that has little in common with the reading may be wrong, so the reading comes first.
    """
    reading = _comparable_text(line.text)
    verified = None if line.verified_text is None else _comparable_text(line.verified_text)
    resembles = verified is None or not reading or _distance(reading, verified) < MAX_DISTANCE
    return _KnownTexts(reading, verified, 0.0 if resembles else MAX_DISTANCE / 2)


def _line_distance(line: _KnownTexts, text: str) -> float:
    """Return the distance of a text from the nearest text that a line is known by, 0 to 1."""
    distance = _distance(line.reading, text)
    if line.verified is None:
        return distance
    return min(distance, _distance(line.verified, text) + line.penalty)


def _comparable_text(line: str) -> str:
    """Return a text without niqqud, as it is measured: this is how texts are compared."""
    return text.measured(text.strip_niqqud(line))


def _text_distance(one: str, other: str) -> float:
    """Return the edit distance divided by the longer text, 0 to 1, without niqqud and repeated spaces."""
    return float(Levenshtein.normalized_distance(_comparable_text(one), _comparable_text(other)))


def _distance(one: str, other: str) -> float:
    """Return the edit distance divided by the length of the longer text; 1 if it exceeds MAX_DISTANCE."""
    return float(Levenshtein.normalized_distance(one, other, score_cutoff=MAX_DISTANCE))
