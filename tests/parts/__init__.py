"""Real parts for tests: servers started on free ports and stopped by pid."""
