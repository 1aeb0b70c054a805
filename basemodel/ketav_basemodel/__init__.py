"""Synthetic Hebrew lines, the base-model recipe and its evaluation (an offline tool)."""
