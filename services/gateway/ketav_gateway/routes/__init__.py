"""The routes: decode, one use case, encode."""
