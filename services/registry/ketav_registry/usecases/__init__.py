"""Use cases: one async function for each RPC, and the steps that it consists of.

A use case has the name of its RPC. CreatePage is `upload_image` and SubmitCorrections is `save_feedback`.

`stores` has PostgreSQL and the object store. A use case opens its transactions itself.
"""
