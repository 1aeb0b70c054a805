"""Texts of a request: clean ones, and those that may not be stored, each refused alone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_CORRECTIONS, MAX_PAGE_CODE_POINTS, MAX_PAGE_LINES
from ketav_common.text import MIN_LINES_OF_NEW_SIGN, listed, unwritable
from ketav_registry.domain.corrections import Correction, RefusedLine, UntrainedLine
from ketav_registry.usecases.requests import stored_field


@dataclass(frozen=True, slots=True)
class SubmittedTexts:
    """Clean corrections, or clean texts of a whole page, and the lines that are refused."""

    corrected: list[str] | list[Correction]
    refused: tuple[RefusedLine, ...]
    indexes: Mapping[UUID, int] = field(default_factory=dict)
    """Index of each corrected line in the request."""


def clean_corrections(submitted: Sequence[Correction]) -> SubmittedTexts:
    """Return the corrections with clean texts, in the same order.

    InvalidInput line-count: none or more than MAX_CORRECTIONS. InvalidInput duplicate-line: two have the same
    line_id. InvalidInput with the code of the first refused text: no text is left.
    """
    if not 1 <= len(submitted) <= MAX_CORRECTIONS:
        raise InvalidInput(
            f"The request corrects {len(submitted):,} lines. Send 1 to {MAX_CORRECTIONS:,} lines.",
            code="line-count",
            details={"pointer": "/lines"},
        )
    _check_duplicates(submitted)
    cleaned: list[Correction] = []
    errors: list[InvalidInput] = []
    refused: list[RefusedLine] = []
    for index, correction in enumerate(submitted):
        location = {"pointer": f"/lines/{index}/text", "line_id": str(correction.line_id)}
        try:
            cleaned.append(replace(correction, text=stored_field(correction.text, location)))
        except InvalidInput as error:
            errors.append(error)
            refused.append(RefusedLine(correction.line_id, 0, error.code, error.detail))
    if not cleaned:
        raise errors[0]
    indexes = {correction.line_id: index for index, correction in enumerate(submitted)}
    return SubmittedTexts(cleaned, tuple(refused), indexes)


def _check_duplicates(submitted: Sequence[Correction]) -> None:
    """Raise InvalidInput duplicate-line for two corrections of one line."""
    indexes: dict[UUID, int] = {}
    for index, correction in enumerate(submitted):
        first = indexes.setdefault(correction.line_id, index)
        if first != index:
            raise InvalidInput(
                f"/lines/{first} and /lines/{index} correct the same line. Send each line once.",
                code="duplicate-line",
                details={"pointer": f"/lines/{index}/line_id", "line_id": str(correction.line_id)},
            )


def clean_page_text(corrected_text: str) -> SubmittedTexts:
    """Split a page's text into clean lines without the empty ones.

    InvalidInput text-too-long: the text has more than MAX_PAGE_CODE_POINTS. InvalidInput line-count: the
    number of lines is outside 1 to MAX_PAGE_LINES. InvalidInput with the code of the first refused line: no
    line is left.
    """
    whole = {"pointer": "/corrected_text"}
    if len(corrected_text) > MAX_PAGE_CODE_POINTS:
        raise InvalidInput(
            f"The text of the page has {len(corrected_text):,} code points. "
            f"Send at most {MAX_PAGE_CODE_POINTS:,}.",
            code="text-too-long",
            details=whole,
        )
    lines: list[str] = []
    errors: list[InvalidInput] = []
    refused: list[RefusedLine] = []
    for number, item in enumerate(corrected_text.replace("\r\n", "\n").split("\n"), start=1):
        try:
            line = stored_field(item, whole | {"line": str(number)})
        except InvalidInput as error:
            errors.append(error)
            refused.append(RefusedLine(None, number, error.code, error.detail))
            continue
        if line:
            lines.append(line)
    if errors and not lines:
        raise errors[0]
    count = len(lines) + len(refused)
    if not 1 <= count <= MAX_PAGE_LINES:
        raise InvalidInput(
            f"The text of the page has {count:,} lines. Send 1 to {MAX_PAGE_LINES:,} lines.",
            code="line-count",
            details=whole,
        )
    return SubmittedTexts(lines, tuple(refused))


def untrained_lines(
    checked: Sequence[Correction], alphabet: Collection[str] | None
) -> tuple[UntrainedLine, ...]:
    """Return the lines outside quarantine whose texts have signs that a model with the alphabet lacks."""
    if alphabet is None:
        return ()
    return tuple(
        UntrainedLine(
            correction.line_id,
            f"The model cannot write {listed(signs)}, so the line does not train. It trains as soon as "
            f"{MIN_LINES_OF_NEW_SIGN} corrected lines have the sign.",
        )
        for correction in checked
        if correction.quarantine is None and (signs := unwritable(correction.text, alphabet))
    )
