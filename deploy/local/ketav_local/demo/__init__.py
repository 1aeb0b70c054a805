"""The main use in one command: a page is read, corrected and read back (`make demo`)."""
