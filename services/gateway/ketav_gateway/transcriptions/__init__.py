"""Transcriptions: POST /ocr/ stores an image and reads it; a stored page can be read again."""
