"""The history of training runs and models, recorded by triggers of a test database."""

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

ENDED = frozenset({"succeeded", "rejected", "failed", "cancelled"})
"""States in which a run has ended and may not change."""
TABLES = ("training_run", "model_version", "active_model")
_SCHEMA = """
CREATE TABLE history (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    name TEXT NOT NULL, change TEXT NOT NULL, fields JSONB NOT NULL
);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO public.history (name, change, fields)
    VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END));
    RETURN NULL;
END $$;
"""
_TRIGGER = """
CREATE TRIGGER history AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION note();
"""


@dataclass(frozen=True)
class Change:
    """A row as a transaction left it; `number` is the order, `at` the time by the database's clock."""

    number: int
    at: datetime
    name: str
    change: str
    fields: dict[str, Any]


async def record(owner: "asyncpg.Pool | asyncpg.Connection") -> None:
    """Record the history of a database's runs and models from now on."""
    await owner.execute(_SCHEMA + "".join(_TRIGGER.format(table=table) for table in TABLES))


async def read(owner: "asyncpg.Pool | asyncpg.Connection", after: int = 0) -> list[Change]:
    """Return the changes after a number."""
    rows = await owner.fetch("SELECT * FROM history WHERE number > $1 ORDER BY number", after)
    return [Change(**{**row, "fields": json.loads(row["fields"])}) for row in map(dict, rows)]


def of_run(history: Iterable[Change], run_id: str) -> list[Change]:
    """Return the changes of a run and of its version, and the version's promotions."""
    history = list(history)
    versions = {change.fields["version"] for change in history if change.fields.get("run_id") == run_id}
    return [
        change
        for change in history
        if (change.name == "training_run" and change.fields["id"] == run_id)
        or (change.name != "training_run" and change.fields["version"] in versions)
    ]


def violations(history: Sequence[Change]) -> list[str]:
    """Return each breach of R3 to R5 that a history shows; runs that have not ended are breaches too."""
    runs: defaultdict[str, list[Change]] = defaultdict(list)
    for change in history:
        if change.name == "training_run":
            runs[change.fields["id"]].append(change)
    problems = [f"run {run_id}: {text}" for run_id, changes in runs.items() for text in _of_states(changes)]
    problems += [f"run {run_id}: {text}" for run_id in runs for text in _of_promotion(history, run_id)]
    return problems + _of_users(history) + _of_generations(history)


def _of_states(changes: Sequence[Change]) -> list[str]:
    """Check one run by itself: it ends, nothing comes after the end, fence and revision never fall."""
    states = [change.fields["state"] for change in changes]
    problems = [] if states[-1] in ENDED else [f"has not ended: {states[-1]}"]
    problems += ["changed after its end" for state in states[:-1] if state in ENDED]
    for name in ("fence", "revision", "attempts"):
        values = [change.fields[name] for change in changes]
        if values != sorted(values):
            problems.append(f"its {name} fell: {values}")
    claims = [new for old, new in itertools.pairwise(changes) if _is_claim(old, new)]
    if any(change.fields["state"] != "running" for change in claims):
        problems.append("a claim left another state than running")
    return problems


def _is_claim(old: Change, new: Change) -> bool:
    """Return whether a change of a run is a claim."""
    return bool(new.fields["fence"] > old.fields["fence"])


def _of_promotion(history: Sequence[Change], run_id: str) -> list[str]:
    """Check a run's model: one for a success, serving once made; one for a rejection, never serving."""
    about = of_run(history, run_id)
    state = next(change.fields["state"] for change in reversed(about) if change.name == "training_run")
    versions = [change for change in about if change.name == "model_version" and change.change == "INSERT"]
    end = next((change.at for change in about if change.fields.get("state") in ENDED), None)
    # A rollback and a return to the version are the user's; they come after the run.
    own_versions = {change.fields["version"] for change in versions}
    promotions = [
        change
        for change in about
        if change.name == "active_model" and change.fields["version"] in own_versions and end is not None
    ]
    expected = {"succeeded": (1, 1), "rejected": (1, 0)}.get(state, (0, 0))
    seen = (len(versions), len(promotions))
    return [] if seen == expected else [f"{state} with (versions, promotions) {seen}, not {expected}"]


def _of_users(history: Sequence[Change]) -> list[str]:
    """Check that no user ever had two runs that had not ended."""
    active: defaultdict[str, set[str]] = defaultdict(set)
    problems = []
    for change in history:
        if change.name != "training_run":
            continue
        runs = active[change.fields["user_id"]]
        (runs.discard if change.fields["state"] in ENDED else runs.add)(change.fields["id"])
        if len(runs) > 1:
            problems.append(f"user {change.fields['user_id']}: two active runs")
    return problems


def _of_generations(history: Sequence[Change]) -> list[str]:
    """Check that each change of a user's active model raises the generation by one, and none is deleted."""
    last: dict[tuple[str, str], int] = {}
    problems = []
    for change in history:
        if change.name != "active_model":
            continue
        key = (change.fields["user_id"], change.fields["script"])
        if change.change == "DELETE" or change.fields["generation"] != last.get(key, 0) + 1:
            problems.append(f"user {key[0]}: generation {last.get(key)} -> {change.fields['generation']}")
        last[key] = change.fields["generation"]
    return problems


def claims(history: Sequence[Change], run_id: str) -> list[Change]:
    """Return the claims of a run, first to last."""
    changes = [
        change for change in history if change.name == "training_run" and change.fields["id"] == run_id
    ]
    return [new for old, new in itertools.pairwise(changes) if _is_claim(old, new)]
