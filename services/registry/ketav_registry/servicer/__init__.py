"""The six gRPC services: decode, one use case, encode."""

from datetime import timedelta

import grpc

from ketav.registry.v1 import (
    accounts_pb2,
    accounts_pb2_grpc,
    learning_pb2,
    learning_pb2_grpc,
    models_pb2,
    models_pb2_grpc,
    projects_pb2,
    projects_pb2_grpc,
    training_pb2,
    training_pb2_grpc,
    webhooks_pb2,
    webhooks_pb2_grpc,
)
from ketav_common.identity import Signer
from ketav_registry.blobs import BlobStore
from ketav_registry.database import Database
from ketav_registry.domain.quarantine import Limits
from ketav_registry.servicer.accounts import AccountServicer
from ketav_registry.servicer.learning import LearningServicer
from ketav_registry.servicer.models import ModelServicer
from ketav_registry.servicer.projects import ProjectServicer
from ketav_registry.servicer.training import TrainingRunServicer
from ketav_registry.servicer.webhooks import WebhookServicer
from ketav_registry.usecases.corrections import DEFAULTS

SERVICES = tuple(
    service.full_name
    for contract in (accounts_pb2, projects_pb2, models_pb2, training_pb2, learning_pb2, webhooks_pb2)
    for service in contract.DESCRIPTOR.services_by_name.values()
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
    """Put the services on a server; `limits` are those of corrections, `lease` that of training runs."""
    accounts_pb2_grpc.add_AccountServiceServicer_to_server(AccountServicer(database), server)
    projects_pb2_grpc.add_ProjectServiceServicer_to_server(
        ProjectServicer(database, blobs, limits, signer), server
    )
    models_pb2_grpc.add_ModelServiceServicer_to_server(ModelServicer(database, blobs), server)
    runs = TrainingRunServicer(database, blobs, lease)
    training_pb2_grpc.add_TrainingRunServiceServicer_to_server(runs, server)
    webhooks = WebhookServicer(database, private=private_webhooks)
    webhooks_pb2_grpc.add_WebhookServiceServicer_to_server(webhooks, server)
    learning_pb2_grpc.add_LearningServiceServicer_to_server(LearningServicer(database), server)
