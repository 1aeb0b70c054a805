"""Deletions on the wire."""

from ketav.registry.v1 import erasure_pb2
from ketav_registry.domain.erasure import Erasure


def erasure(done: Erasure) -> erasure_pb2.Erasure:
    """Write what a deletion did."""
    return erasure_pb2.Erasure(
        pages=done.pages,
        lines=done.lines,
        corrections=done.corrections,
        tainted_versions=done.tainted,
        cancelled_run_id=str(done.cancelled_run or ""),
        retraining=done.retraining,
    )
