"""Accounts: the deletion of everything that a user has."""
