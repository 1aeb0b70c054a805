"""Generated from the OpenAPI document of the server by `python -m tools.generate_client`. Do not edit."""
