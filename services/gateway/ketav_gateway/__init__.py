"""The only door: REST in, gRPC out."""
