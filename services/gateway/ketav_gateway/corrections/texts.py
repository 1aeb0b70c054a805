"""Texts that are refused line by line, also those with unpaired surrogates, which protobuf cannot carry."""

import re
from dataclasses import dataclass

from ketav_common.errors import InvalidInput
from ketav_common.text import stored
from ketav_gateway.corrections.schemas import SubmitCorrectionsRequest

LINE_TEXTS = re.compile("/corrected_text|/lines/[0-9]+/text")
"""JSON pointers of the texts that the registry checks, each line by itself."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_STAND_IN = "\0"
"""Character that is sent in place of a surrogate: the registry refuses both with the same code."""


def sendable(text: str) -> str:
    """Return a text that protobuf can carry; the registry refuses it where it refuses the text."""
    return _SURROGATE.sub(_STAND_IN, text)


@dataclass(frozen=True)
class SentTexts:
    """The texts of a request as its client has sent them."""

    body: SubmitCorrectionsRequest

    def detail(self, line_id: str, number: int, detail: str) -> str:
        """Return why the registry refused a line, in terms of the client's text if another one was sent.

        A line has a `line_id`, or its number in the text of the page, from 1.
        """
        text = self._text(line_id, number)
        if _SURROGATE.search(text):
            try:
                stored(text)
            except InvalidInput as error:
                return error.detail
        return detail

    def error(self, error: InvalidInput) -> InvalidInput:
        """Return the registry's error for a request without a line that may be stored, in the same terms."""
        line_id, number = error.details.get("line_id", ""), error.details.get("line", "")
        detail = self.detail(line_id, int(number or 0), error.detail)
        return InvalidInput(detail, code=error.code, details=error.details)

    def _text(self, line_id: str, number: int) -> str:
        """Return the text of a line; empty for an unknown one."""
        if self.body.lines is not None:
            return next((line.text for line in self.body.lines if line.line_id == line_id), "")
        lines = (self.body.corrected_text or "").replace("\r\n", "\n").split("\n")
        return lines[number - 1] if 1 <= number <= len(lines) else ""
