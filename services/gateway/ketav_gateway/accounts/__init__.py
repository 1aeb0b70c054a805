"""Accounts: a user's key and limits, and the deletion of everything that the user has."""
