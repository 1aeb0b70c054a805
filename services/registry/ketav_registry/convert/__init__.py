"""Conversion between protobuf messages and the domain, for the servicers."""
