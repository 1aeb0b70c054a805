"""Backups of a whole system: the rows of one snapshot of the database, and the objects that they refer to.

A backup is a folder that can be read without Ketav (docs/howto/backup.md):

    manifest.json       versions, and the rows, bytes and SHA-256 of each table
    tables/NAME.copy    the rows in the text format of PostgreSQL's COPY
    objects.tsv         key, SHA-256 and length in bytes of each object
    objects/KEY         the objects
"""
