"""Training runs, the policy for automatic runs, and how many lines the next run needs."""
