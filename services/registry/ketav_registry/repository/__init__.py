"""Reading and writing rows; every query is scoped by user besides row-level security.

One module for each part of the memory; functions take the open transaction first.
"""
