"""HTTP without features: server, limits, authentication, bodies, uploads, problems, API description."""
