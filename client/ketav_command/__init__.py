"""The command `ketav`."""
