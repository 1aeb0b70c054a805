"""Recognition: from normalised lines to text."""
