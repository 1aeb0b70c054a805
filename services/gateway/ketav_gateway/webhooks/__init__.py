"""Webhooks: notifications to a user's own server when a training run ends."""
