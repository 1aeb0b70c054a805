"""Conversion of deletions."""

from ketav.registry.v1 import erasure_pb2
from ketav_registry.domain.erasure import Erasure


def erasure(done: Erasure) -> erasure_pb2.Erasure:
    """Return the message of a deletion."""
    return erasure_pb2.Erasure(
        pages=done.pages,
        lines=done.lines,
        corrections=done.corrections,
        tainted_versions=done.tainted_versions,
        cancelled_run_id=str(done.cancelled_run or ""),
        retraining=done.will_retrain,
    )
