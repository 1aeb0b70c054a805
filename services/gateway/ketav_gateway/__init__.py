"""The gateway, the REST API of Ketav: authenticates users, checks requests and images, calls the services.

`http` has what every request needs; each feature has a folder with `routes`, `schemas` (JSON) and `convert`
(protobuf to JSON and back).
"""
