"""The only eye: Kraken inference behind gRPC."""
