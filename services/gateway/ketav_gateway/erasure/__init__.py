"""Erasure: the response of every deletion. The routes are those of pages, projects and accounts."""
