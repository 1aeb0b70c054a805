"""Benchmarks of decoding and segmentation: they print figures and are never part of the tests."""
