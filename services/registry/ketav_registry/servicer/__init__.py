"""The four gRPC services: decode, one use case, encode."""

import grpc

from ketav.registry.v1 import accounts_pb2, accounts_pb2_grpc, projects_pb2, projects_pb2_grpc
from ketav_registry.blobs import BlobStore
from ketav_registry.database import Database
from ketav_registry.servicer.accounts import AccountServicer
from ketav_registry.servicer.projects import ProjectServicer

SERVICES = tuple(
    description.services_by_name[name].full_name
    for description, name in (
        (accounts_pb2.DESCRIPTOR, "AccountService"),
        (projects_pb2.DESCRIPTOR, "ProjectService"),
    )
)


def add_servicers(server: grpc.aio.Server, database: Database, blobs: BlobStore) -> None:
    """Put the services on a server."""
    accounts_pb2_grpc.add_AccountServiceServicer_to_server(AccountServicer(database), server)
    projects_pb2_grpc.add_ProjectServiceServicer_to_server(ProjectServicer(database, blobs), server)
