"""Next lines: the uncorrected lines whose correction improves the user's model most."""
