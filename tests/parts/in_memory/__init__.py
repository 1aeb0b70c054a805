"""The registry, the recognizer and the trainer in memory, behind real gRPC servers, for tests of the gateway.

The registry keeps the contract that the gateway relies on: tests/contract/test_registry_user_contract.py runs
against it and against the real one. `State.failures` makes a method fail.
"""

from functools import partial

import grpc

from ketav.recognizer.v1 import recognizer_pb2_grpc
from ketav.registry.v1 import (
    accounts_pb2_grpc,
    corrections_pb2_grpc,
    ground_truth_pb2_grpc,
    jobs_pb2_grpc,
    members_pb2_grpc,
    models_pb2_grpc,
    next_lines_pb2_grpc,
    pages_pb2_grpc,
    projects_pb2_grpc,
    training_pb2_grpc,
    transcriptions_pb2_grpc,
    webhooks_pb2_grpc,
)
from ketav.trainer.v1 import trainer_pb2_grpc
from tests.parts.in_memory.accounts import Accounts
from tests.parts.in_memory.corrections import Corrections
from tests.parts.in_memory.ground_truth import GroundTruth
from tests.parts.in_memory.jobs import Jobs
from tests.parts.in_memory.members import Members
from tests.parts.in_memory.models import Models
from tests.parts.in_memory.next_lines import NextLines
from tests.parts.in_memory.pages import Pages
from tests.parts.in_memory.projects import Projects
from tests.parts.in_memory.recognizer import Recognizer
from tests.parts.in_memory.state import State
from tests.parts.in_memory.trainer import Trainer
from tests.parts.in_memory.training import Training
from tests.parts.in_memory.transcriptions import Transcriptions
from tests.parts.in_memory.webhooks import Webhooks

__all__ = ["State", "add_recognizer", "add_registry", "add_trainer", "adders"]


def add_registry(state: State, server: grpc.aio.Server) -> None:
    """Register the registry's services."""
    accounts_pb2_grpc.add_AccountServiceServicer_to_server(Accounts(state), server)
    projects_pb2_grpc.add_ProjectServiceServicer_to_server(Projects(state), server)
    pages_pb2_grpc.add_PageServiceServicer_to_server(Pages(state), server)
    transcriptions_pb2_grpc.add_TranscriptionServiceServicer_to_server(Transcriptions(state), server)
    corrections_pb2_grpc.add_CorrectionServiceServicer_to_server(Corrections(state), server)
    ground_truth_pb2_grpc.add_GroundTruthServiceServicer_to_server(GroundTruth(state), server)
    jobs_pb2_grpc.add_JobServiceServicer_to_server(Jobs(state), server)
    members_pb2_grpc.add_MemberServiceServicer_to_server(Members(state), server)
    training_pb2_grpc.add_TrainingServiceServicer_to_server(Training(state), server)
    models_pb2_grpc.add_ModelServiceServicer_to_server(Models(state), server)
    next_lines_pb2_grpc.add_NextLineServiceServicer_to_server(NextLines(state), server)
    webhooks_pb2_grpc.add_WebhookServiceServicer_to_server(Webhooks(state), server)


def add_recognizer(state: State, server: grpc.aio.Server) -> None:
    """Register the recognizer's service."""
    recognizer_pb2_grpc.add_RecognizerServiceServicer_to_server(Recognizer(state), server)


def add_trainer(state: State, server: grpc.aio.Server) -> None:
    """Register the trainer's service."""
    trainer_pb2_grpc.add_TrainerServiceServicer_to_server(Trainer(state), server)


def adders(state: State) -> "dict[str, partial[None]]":
    """Return the function that registers each process's services, by the process's name."""
    return {
        "registry": partial(add_registry, state),
        "recognizer": partial(add_recognizer, state),
        "trainer": partial(add_trainer, state),
    }
