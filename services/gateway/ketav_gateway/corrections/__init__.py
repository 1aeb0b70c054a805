"""Corrections: POST /feedback/ stores the text of lines as the user says it is."""
