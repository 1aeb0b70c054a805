"""SQL statements. Every query is restricted to one user, in addition to row-level security.

One module for each feature. Functions take the open transaction as their first argument.
"""
