"""Model versions: their records, the one that serves, and the errors that each made."""
