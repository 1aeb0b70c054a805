"""Corrections in memory."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from rapidfuzz.distance import Levenshtein

from ketav.registry.v1 import corrections_pb2, corrections_pb2_grpc, members_pb2
from ketav_common.errors import Changed, InvalidInput, NotFound, Precondition
from ketav_common.text import stored as stored_text
from tests.parts.in_memory.state import TIME, State, StoredPage, correct_line

_MAX_DISTANCE = 0.5
"""Share of a text that may differ from the reading of the line it is aligned to."""


class Corrections(corrections_pb2_grpc.CorrectionServiceServicer):
    """Stores, withdraws and lists corrections."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    async def SubmitCorrections(self, request: Any, context: Any) -> Any:
        """Store corrections of the latest transcription of a page."""
        self.state.enter("SubmitCorrections", request)
        response = corrections_pb2.SubmitCorrectionsResponse(feedback_id=str(uuid4()))
        _refuse_texts(request, response)
        user = self.state.scope(request.project_id, members_pb2.ROLE_EDITOR)
        stored = user.page(request.project_id, request.page_id)
        known = user.repeated("SubmitCorrections", request.request_id, request.request_sha256)
        if known is not None:
            return known
        if not stored.message.HasField("transcription"):
            raise Precondition("The page has no transcription. Read it first.", code="page-not-read")
        if request.WhichOneof("correction") == "lines":
            corrections = list(request.lines.lines)
            _check_lines(stored, corrections)
            _check_seen(stored, corrections)
        else:
            corrections = list(_aligned(stored, request.corrected_text, response))
        self._store(stored, corrections, response)
        response.ground_truth_lines = user.ground_truth_lines()
        user.remember("SubmitCorrections", request.request_id, request.request_sha256, response)
        return response

    def _store(
        self,
        stored: StoredPage,
        corrections: list[corrections_pb2.LineCorrection],
        response: corrections_pb2.SubmitCorrectionsResponse,
    ) -> None:
        """Set the corrections of the lines and count them in the response."""
        lines = {line.line_id: line for line in stored.message.transcription.lines}
        for correction in corrections:
            stored.history.setdefault(correction.line_id, []).append(correction.text)
            quarantine = self.state.quarantine(correction.text, confirmed=correction.confirm)
            correct_line(lines[correction.line_id], correction.text, quarantine, self.state.caller().name)
            if quarantine is not None:
                response.quarantined.add(line_id=correction.line_id, quarantine=quarantine)
        stored.corrections += len(corrections)
        response.accepted_lines = len(corrections)

    async def WithdrawCorrection(self, request: Any, context: Any) -> Any:
        """Remove the correction of a line and append a withdrawal to its history."""
        self.state.enter("WithdrawCorrection", request)
        user = self.state.scope(request.project_id, members_pb2.ROLE_EDITOR)
        stored = user.page(request.project_id, request.page_id)
        lines = {line.line_id: line for line in stored.message.transcription.lines}
        line = lines.get(request.line_id)
        if line is None:
            raise NotFound("This page has no line with this id. Get the page and send one of its lines.")
        if not line.HasField("corrected_text"):
            raise Precondition("The line has no correction. Correct it first.", code="nothing-to-withdraw")
        for name in ("corrected_text", "verified_text", "quarantine"):
            line.ClearField(name)
        line.correction_id = str(uuid4())
        stored.history[request.line_id].append(None)
        return corrections_pb2.WithdrawCorrectionResponse(
            ground_truth_lines=user.ground_truth_lines(), consequences=self.state.erasure
        )

    async def ListCorrections(self, request: Any, context: Any) -> Any:
        """Return the history of a line, newest first."""
        self.state.enter("ListCorrections", request)
        stored = self.state.scope(request.project_id).page(request.project_id, request.page_id)
        if request.line_id not in {line.line_id for line in stored.lines()}:
            raise NotFound("This page has no line with this id. Get the page and send one of its lines.")
        response = corrections_pb2.ListCorrectionsResponse()
        for text in reversed(stored.history.get(request.line_id, [])):
            withdrawn = text is None
            response.corrections.add(
                text=text or "", withdrawn=withdrawn, confirmed=withdrawn, create_time=TIME
            )
        return response


def _refuse_texts(request: Any, response: corrections_pb2.SubmitCorrectionsResponse) -> None:
    """Move the lines whose texts may not be stored from a request to the response; raises if none is left."""
    lines = list(request.lines.lines)
    texts = [line.text for line in lines] or request.corrected_text.split("\n")
    good = []
    errors: list[InvalidInput] = []
    for index, text in enumerate(texts):
        try:
            stored_text(text)
        except InvalidInput as error:
            named = {"line_id": lines[index].line_id} if lines else {"line": index + 1}
            pointer = f"/lines/{index}/text" if lines else "/corrected_text"
            details = {"pointer": pointer} | {name: str(value) for name, value in named.items()}
            errors.append(InvalidInput(error.detail, code=error.code, details=details))
            response.refused.add(code=error.code, detail=error.detail, **named)
        else:
            good.append(index)
    if errors and not good:
        raise errors[0]
    if lines:
        request.lines.ClearField("lines")
        request.lines.lines.extend(lines[index] for index in good)
    else:
        request.corrected_text = "\n".join(texts[index] for index in good)


def _check_lines(stored: StoredPage, corrections: list[corrections_pb2.LineCorrection]) -> None:
    """Raise InvalidInput for a line that is not on the page, or twice in the request."""
    ids = [correction.line_id for correction in corrections]
    if len(set(ids)) != len(ids):
        raise InvalidInput("A line is in the request twice. Send it once.", code="duplicate-line")
    if not set(ids) <= {line.line_id for line in stored.lines()}:
        raise InvalidInput("A line is not on the page. Use the page's line ids.", code="unknown-line")


def _check_seen(stored: StoredPage, corrections: list[corrections_pb2.LineCorrection]) -> None:
    """Raise Changed for a line with another latest correction than the request names."""
    latest = {line.line_id: line.correction_id for line in stored.lines()}
    for item in corrections:
        if item.HasField("seen_correction_id") and item.seen_correction_id != latest[item.line_id]:
            raise Changed("The line was corrected since. Get the image again.", code="line-changed")


def _aligned(
    stored: StoredPage, text: str, response: corrections_pb2.SubmitCorrectionsResponse
) -> Iterator[corrections_pb2.LineCorrection]:
    """Yield the text's lines with the most similar lines of the page; the others go into the response."""
    free = stored.lines()
    for part in filter(None, text.split("\n")):
        nearest = min(free, key=lambda line: _distance(line.text, part), default=None)
        if nearest is None or _distance(nearest.text, part) > _MAX_DISTANCE:
            response.unaligned.add(text=part, reason="No line of the page reads like this text.")
            continue
        free.remove(nearest)
        yield corrections_pb2.LineCorrection(line_id=nearest.line_id, text=part)
    for line in free:
        response.unaligned.add(line_id=line.line_id, reason="No text reads like this line.")


def _distance(one: str, other: str) -> float:
    """Return the edit distance as a share of the longer text."""
    return float(Levenshtein.normalized_distance(one, other))
