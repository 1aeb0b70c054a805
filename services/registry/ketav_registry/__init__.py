"""The only memory: PostgreSQL and the object store behind gRPC."""
