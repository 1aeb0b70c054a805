"""The policy of automatic training runs on the wire."""

from datetime import timedelta

from ketav.registry.v1 import training_pb2
from ketav_registry.domain.training_policy import TrainingPolicy


def policy(found: TrainingPolicy) -> training_pb2.TrainingPolicy:
    """Write a policy."""
    return training_pb2.TrainingPolicy(
        automatic=found.automatic, minimum_gap_seconds=int(found.minimum_gap.total_seconds())
    )


def wanted_policy(sent: training_pb2.TrainingPolicy) -> TrainingPolicy:
    """Read a policy."""
    return TrainingPolicy(sent.automatic, timedelta(seconds=sent.minimum_gap_seconds))
