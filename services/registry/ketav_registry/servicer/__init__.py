"""gRPC services, one module for each feature. A method decodes, calls one use case and encodes."""

from datetime import timedelta

import grpc

from ketav.registry.v1 import (
    accounts_pb2,
    accounts_pb2_grpc,
    corrections_pb2,
    corrections_pb2_grpc,
    ground_truth_pb2,
    ground_truth_pb2_grpc,
    jobs_pb2,
    jobs_pb2_grpc,
    members_pb2,
    members_pb2_grpc,
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
from ketav_registry.domain.corrections_quarantine import QuarantineLimits
from ketav_registry.servicer.accounts import AccountServicer
from ketav_registry.servicer.corrections import CorrectionServicer
from ketav_registry.servicer.ground_truth import GroundTruthServicer
from ketav_registry.servicer.jobs import JobServicer
from ketav_registry.servicer.members import MemberServicer
from ketav_registry.servicer.models import ModelServicer
from ketav_registry.servicer.next_lines import NextLineServicer
from ketav_registry.servicer.pages import PageServicer
from ketav_registry.servicer.projects import ProjectServicer
from ketav_registry.servicer.training import TrainingServicer
from ketav_registry.servicer.transcriptions import TranscriptionServicer
from ketav_registry.servicer.webhooks import WebhookServicer
from ketav_registry.stores import Stores
from ketav_registry.usecases.corrections import DEFAULT_LIMITS

_CONTRACTS = (
    accounts_pb2,
    projects_pb2,
    pages_pb2,
    transcriptions_pb2,
    corrections_pb2,
    ground_truth_pb2,
    jobs_pb2,
    members_pb2,
    training_pb2,
    models_pb2,
    next_lines_pb2,
    webhooks_pb2,
)
SERVICES = tuple(
    service.full_name for contract in _CONTRACTS for service in contract.DESCRIPTOR.services_by_name.values()
)
"""Full names of the services, for health checks and reflection."""
DEFAULT_LEASE = timedelta(seconds=30)
"""Lease of a training run, and of a page of a job: three missed heartbeats of 10 seconds."""


def add_servicers(
    server: grpc.aio.Server,
    stores: Stores,
    signer: Signer,
    quarantine_limits: QuarantineLimits = DEFAULT_LIMITS,
    lease: timedelta = DEFAULT_LEASE,
    *,
    private_webhooks: bool = False,
) -> None:
    """Register all services with a server."""
    accounts_pb2_grpc.add_AccountServiceServicer_to_server(AccountServicer(stores), server)
    projects_pb2_grpc.add_ProjectServiceServicer_to_server(ProjectServicer(stores), server)
    pages_pb2_grpc.add_PageServiceServicer_to_server(PageServicer(stores, signer), server)
    transcriptions = TranscriptionServicer(stores, quarantine_limits)
    transcriptions_pb2_grpc.add_TranscriptionServiceServicer_to_server(transcriptions, server)
    corrections = CorrectionServicer(stores, quarantine_limits)
    corrections_pb2_grpc.add_CorrectionServiceServicer_to_server(corrections, server)
    ground_truth = GroundTruthServicer(stores, quarantine_limits)
    ground_truth_pb2_grpc.add_GroundTruthServiceServicer_to_server(ground_truth, server)
    jobs_pb2_grpc.add_JobServiceServicer_to_server(JobServicer(stores, lease), server)
    members_pb2_grpc.add_MemberServiceServicer_to_server(MemberServicer(stores), server)
    training_pb2_grpc.add_TrainingServiceServicer_to_server(TrainingServicer(stores, lease), server)
    models_pb2_grpc.add_ModelServiceServicer_to_server(ModelServicer(stores, signer), server)
    next_lines_pb2_grpc.add_NextLineServiceServicer_to_server(NextLineServicer(stores), server)
    webhooks = WebhookServicer(stores, private=private_webhooks)
    webhooks_pb2_grpc.add_WebhookServiceServicer_to_server(webhooks, server)
