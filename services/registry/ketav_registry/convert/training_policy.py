"""Conversion of the policy of automatic training."""

from datetime import timedelta

from ketav.registry.v1 import training_pb2
from ketav_registry.domain.training_policy import TrainingPolicy


def policy(message: training_pb2.TrainingPolicy) -> TrainingPolicy:
    """Return a policy. `policy_message` is the inverse."""
    return TrainingPolicy(message.automatic, timedelta(seconds=message.minimum_gap_seconds))


def policy_message(training_policy: TrainingPolicy) -> training_pb2.TrainingPolicy:
    """Return the message of a policy. `policy` is the inverse."""
    return training_pb2.TrainingPolicy(
        automatic=training_policy.automatic,
        minimum_gap_seconds=int(training_policy.minimum_gap.total_seconds()),
    )
