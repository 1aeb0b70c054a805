"""Use cases: one async function for each RPC, called like it, and the steps that it consists of.

`stores` has PostgreSQL and the object store. A use case opens its transactions itself.
"""
