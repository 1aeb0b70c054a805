"""Pages: the images of a project with their latest transcription, and exports of their text.

REST paths and fields say `images`, because what a client uploads is an image; everywhere else the noun is
page.
"""
