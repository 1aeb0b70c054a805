"""The gRPC services of the registry, one module a feature: decode, one use case, encode."""

from datetime import timedelta

import grpc

from ketav.registry.v1 import (
    accounts_pb2,
    accounts_pb2_grpc,
    corrections_pb2,
    corrections_pb2_grpc,
    ground_truth_pb2,
    ground_truth_pb2_grpc,
    models_pb2,
    models_pb2_grpc,
    next_lines_pb2,
    next_lines_pb2_grpc,
    pages_pb2,
    pages_pb2_grpc,
    projects_pb2,
    projects_pb2_grpc,
    training_pb2,
    training_pb2_grpc,
    transcriptions_pb2,
    transcriptions_pb2_grpc,
    webhooks_pb2,
    webhooks_pb2_grpc,
)
from ketav_common.identity import Signer
from ketav_registry.blobs import BlobStore
from ketav_registry.database import Database
from ketav_registry.domain.corrections_quarantine import Limits
from ketav_registry.servicer.accounts import AccountServicer
from ketav_registry.servicer.corrections import CorrectionServicer
from ketav_registry.servicer.ground_truth import GroundTruthServicer
from ketav_registry.servicer.models import ModelServicer
from ketav_registry.servicer.next_lines import NextLineServicer
from ketav_registry.servicer.pages import PageServicer
from ketav_registry.servicer.projects import ProjectServicer
from ketav_registry.servicer.training import TrainingServicer
from ketav_registry.servicer.transcriptions import TranscriptionServicer
from ketav_registry.servicer.webhooks import WebhookServicer
from ketav_registry.usecases.corrections import DEFAULTS

_CONTRACTS = (
    accounts_pb2,
    projects_pb2,
    pages_pb2,
    transcriptions_pb2,
    corrections_pb2,
    ground_truth_pb2,
    training_pb2,
    models_pb2,
    next_lines_pb2,
    webhooks_pb2,
)
SERVICES = tuple(
    service.full_name for contract in _CONTRACTS for service in contract.DESCRIPTOR.services_by_name.values()
)


def add_servicers(
    server: grpc.aio.Server,
    database: Database,
    blobs: BlobStore,
    signer: Signer,
    limits: Limits = DEFAULTS,
    lease: timedelta = timedelta(seconds=30),
    *,
    private_webhooks: bool = False,
) -> None:
    """Register the services; `limits` are those of the quarantine, `lease` is that of training runs."""
    accounts_pb2_grpc.add_AccountServiceServicer_to_server(AccountServicer(database), server)
    projects_pb2_grpc.add_ProjectServiceServicer_to_server(ProjectServicer(database), server)
    pages_pb2_grpc.add_PageServiceServicer_to_server(PageServicer(database, blobs, signer), server)
    transcriptions_pb2_grpc.add_TranscriptionServiceServicer_to_server(
        TranscriptionServicer(database), server
    )
    corrections_pb2_grpc.add_CorrectionServiceServicer_to_server(CorrectionServicer(database, limits), server)
    ground_truth = GroundTruthServicer(database, blobs, limits)
    ground_truth_pb2_grpc.add_GroundTruthServiceServicer_to_server(ground_truth, server)
    training_pb2_grpc.add_TrainingServiceServicer_to_server(TrainingServicer(database, lease), server)
    models_pb2_grpc.add_ModelServiceServicer_to_server(ModelServicer(database, blobs), server)
    next_lines_pb2_grpc.add_NextLineServiceServicer_to_server(NextLineServicer(database), server)
    webhooks = WebhookServicer(database, private=private_webhooks)
    webhooks_pb2_grpc.add_WebhookServiceServicer_to_server(webhooks, server)
