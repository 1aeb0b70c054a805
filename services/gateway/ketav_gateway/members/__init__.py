"""Members of projects: users with a role in a project of another owner."""
