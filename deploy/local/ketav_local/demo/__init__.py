"""`make demo`: a page is read, corrected and read back."""
