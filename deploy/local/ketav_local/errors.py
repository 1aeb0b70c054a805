"""Errors of the local system that end a command with a sentence."""


class StartError(RuntimeError):
    """A process could not be started; the message has its name and its log."""
