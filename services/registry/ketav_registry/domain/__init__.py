"""What the registry remembers and the rules it keeps; nothing here knows a database or a wire."""
