"""The account on the wire: between the contracts and the REST shapes."""

from ketav.registry.v1 import erasure_pb2
from ketav_gateway import schemas_account as schemas


def erasure(done: erasure_pb2.Erasure) -> schemas.ErasureAnswer:
    """Return what a deletion did."""
    return schemas.ErasureAnswer(
        images=done.pages,
        lines=done.lines,
        corrections=done.corrections,
        tainted_versions=list(done.tainted_versions),
        cancelled_run_id=done.cancelled_run_id or None,
        retraining=done.retraining,
    )
