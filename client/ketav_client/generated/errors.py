"""The generator writes this file; `ketav_client.errors` has the errors."""
