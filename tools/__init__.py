"""Commands of the project's own upkeep: stubs, budgets and checks."""
