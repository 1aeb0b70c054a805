"""Between the wire and the domain: the only modules that see both."""
