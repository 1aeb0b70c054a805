"""Projects: the pages of a user that belong together, in one script."""
