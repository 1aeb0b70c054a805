"""Conversion of searches and their hits."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from ketav.registry.v1 import transcriptions_pb2
from ketav_registry.convert import common
from ketav_registry.convert.transcriptions import line_message
from ketav_registry.domain.requests import ListPosition
from ketav_registry.usecases.transcriptions_search import SearchHit

_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Time in the cursors of a search: its hits have an order of their own."""


def search_position(request: transcriptions_pb2.SearchLinesRequest) -> int:
    """Return the number of hits before the cursor of a request. InvalidInput invalid-cursor."""
    position = common.position(request.cursor, _list_name(request))
    if position is None:
        return 0
    if not position.key.isascii() or not position.key.isdigit():
        raise common.invalid_cursor()
    return int(position.key)


def search_response(
    hits: Sequence[SearchHit], request: transcriptions_pb2.SearchLinesRequest, start: int, limit: int
) -> transcriptions_pb2.SearchLinesResponse:
    """Return the message of a part of the hits: `limit` from `start`."""
    end = start + limit
    following = ListPosition(_NO_TIME, str(end)) if end < len(hits) else None
    return transcriptions_pb2.SearchLinesResponse(
        hits=[_hit_message(hit) for hit in hits[start:end]],
        next_cursor=common.cursor(following, _list_name(request)),
    )


def _hit_message(item: SearchHit) -> transcriptions_pb2.SearchHit:
    """Return the message of a hit."""
    return transcriptions_pb2.SearchHit(
        project_id=str(item.project_id),
        page_id=str(item.page_id),
        line=line_message(item.line),
        score=item.hit.score,
        matches=[transcriptions_pb2.Match(start=match.start, end=match.end) for match in item.hit.matches],
    )


def _list_name(request: transcriptions_pb2.SearchLinesRequest) -> str:
    """Return the name of the list that a search returns: a cursor belongs to one query."""
    return f"search {request.project_id} {request.query}"
