"""Shared by all services: calls, errors, identity, settings, logs, text, metrics, images, child processes."""
