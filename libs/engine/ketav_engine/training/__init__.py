"""Training: fine-tuning of a model on corrected lines."""
