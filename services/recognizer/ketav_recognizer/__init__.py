"""The recognizer: reads pages with Kraken, behind gRPC."""
