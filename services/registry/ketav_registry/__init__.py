"""The registry: gRPC services over PostgreSQL and the object store."""
