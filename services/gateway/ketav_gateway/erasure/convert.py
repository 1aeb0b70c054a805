"""Deletions from protobuf to JSON."""

from ketav.registry.v1 import erasure_pb2
from ketav_gateway.erasure import schemas


def erasure(message: erasure_pb2.Erasure) -> schemas.Erasure:
    """Return what a deletion removed."""
    return schemas.Erasure(
        images=message.pages,
        lines=message.lines,
        corrections=message.corrections,
        tainted_versions=list(message.tainted_versions),
        cancelled_run_id=message.cancelled_run_id or None,
        retraining=message.retraining,
    )
