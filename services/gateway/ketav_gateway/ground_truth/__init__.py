"""Ground truth: imports of line and page images whose texts are known."""
