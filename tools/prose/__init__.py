"""Checks the language of documents, docstrings, comments, messages and identifiers."""
