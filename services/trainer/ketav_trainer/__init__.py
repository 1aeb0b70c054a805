"""The only long job: fine-tuning behind gRPC and Celery."""
