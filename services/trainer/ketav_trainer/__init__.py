"""The trainer: fine-tunes models in the background, behind gRPC and Celery."""
