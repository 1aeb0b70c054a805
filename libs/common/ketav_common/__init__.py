"""What every service shares: RPC plumbing, identity, settings, logging, text rules and metrics."""
