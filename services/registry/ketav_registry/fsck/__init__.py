"""`ketav admin fsck`: compares rows, objects, hashes and active models, and makes safe repairs."""
