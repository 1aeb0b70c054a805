"""Entities and rules of the registry. These modules import neither a database nor protobuf."""
