"""GET /search: the lines of the projects that the caller sees that contain some words."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from ketav.registry.v1 import transcriptions_pb2
from ketav_common.limits import MAX_QUERY_CODE_POINTS
from ketav_gateway import examples
from ketav_gateway.http.dependencies import Cursor, Gateway, ListLimit
from ketav_gateway.http.openapi import CURL_ARGUMENTS
from ketav_gateway.http.problem_codes import LIST
from ketav_gateway.http.problems import responses
from ketav_gateway.schemas import Id, ResponseBody
from ketav_gateway.services import call
from ketav_gateway.transcriptions.schemas import Position
from ketav_gateway.transcriptions.word_ends import Span
from ketav_gateway.transcriptions.words import boundaries

router = APIRouter(tags=["transcriptions"])

_SCORE_DIGITS = 4
_HIT_EXAMPLE: dict[str, Any] = {
    "project_id": examples.PROJECT_ID,
    "image_id": examples.IMAGE_ID,
    "line_id": examples.LINE_ID,
    "order": 0,
    "text": "שלום לכולם",
    "score": 0.95,
    "boundary": [[630, 120], [1110, 116], [1112, 190], [632, 196]],
    "matches": [{"start": 5, "end": 10, "boundary": [[630, 120], [860, 118], [862, 193], [632, 196]]}],
}


class SearchMatch(ResponseBody):
    """A part of a line that matches a word of the query."""

    start: int = Field(description="Index of its first code point in the text of the line.")
    end: int = Field(description="Index after its last code point in the text of the line.")
    boundary: list[Position] = Field(description="Polygon around the part.")


class SearchHit(ResponseBody):
    """A line that contains the words of the query."""

    project_id: str = Field(description="UUID of the project.")
    image_id: str = Field(description="UUID of the image.")
    line_id: str = Field(description="UUID of the line.")
    order: int = Field(description="Position of the line in the reading order, from 0.")
    text: str = Field(
        description="The text that was searched: the verified text, or the reading without one."
    )
    score: float = Field(description="How well the words match, above 0 to 1: 1 where they are equal.")
    boundary: list[Position] = Field(description="Polygon around the line.")
    matches: list[SearchMatch] = Field(description="The matching words in the order of the text.")


class SearchResult(ResponseBody):
    """A part of the hits of a search."""

    model_config = ConfigDict(json_schema_extra={"example": {"hits": [_HIT_EXAMPLE], "next_cursor": None}})

    hits: list[SearchHit] = Field(
        description="Best first; equal ones in the order of the pages and their lines."
    )
    next_cursor: str | None = Field(description="Cursor of the next hits; null at the end.")


@router.get(
    "/search",
    responses=responses(*LIST, "not-found", "empty-query", "query-too-long"),
    openapi_extra={CURL_ARGUMENTS: ['-G --data-urlencode "q=שלום"']},
    summary="Search lines",
)
async def search_lines(
    gateway: Gateway,
    q: Annotated[
        str, Query(description="Words that a line must contain, at most 8.", max_length=MAX_QUERY_CODE_POINTS)
    ],
    project_id: Annotated[
        Id | None,
        Query(description="Project to search; without it all of yours, and the 50 latest shared with you."),
    ] = None,
    cursor: Cursor = "",
    limit: ListLimit = 20,
) -> SearchResult:
    """Find lines by their verified text, or by the reading where there is none; at most 1,000.

    Niqqud and final letters are of no account, and a word may have the prefixes ו ה ב כ ל מ ש. One letter of
    a word of four or five letters may differ, and two of a longer one: models misread.
    """
    request = transcriptions_pb2.SearchLinesRequest(
        query=q, project_id=project_id or "", cursor=cursor, limit=limit
    )
    response = await call(
        gateway.services.transcriptions.SearchLines, request, gateway.services.deadlines.short_s
    )
    return SearchResult(hits=[_hit(hit) for hit in response.hits], next_cursor=response.next_cursor or None)


def _hit(message: transcriptions_pb2.SearchHit) -> SearchHit:
    """Return a hit with the polygons of its matches."""
    line = message.line
    text = line.verified_text if line.HasField("verified_text") else line.text
    spans = [Span(match.start, match.end) for match in message.matches]
    return SearchHit(
        project_id=message.project_id,
        image_id=message.page_id,
        line_id=line.line_id,
        order=line.order,
        text=text,
        score=round(message.score, _SCORE_DIGITS),
        boundary=[(point.x, point.y) for point in line.boundary],
        matches=[
            SearchMatch(start=span.start, end=span.end, boundary=boundary)
            for span, boundary in zip(spans, boundaries(line, text, spans), strict=True)
        ],
    )
