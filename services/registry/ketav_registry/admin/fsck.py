"""`ketav admin fsck`."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from ketav_registry.admin.session import Json, run, show
from ketav_registry.fsck.check import check
from ketav_registry.fsck.findings import Report, Scope
from ketav_registry.fsck.repair import repair as repair_findings
from ketav_registry.stores import Stores

_GRACE_HOURS = 24.0
"""Age from which an object without a row is an orphan: no upload takes a day."""


def fsck(
    repair: Annotated[
        bool, typer.Option("--repair", help="Delete orphans, retire lost models, free stuck runs.")
    ] = False,
    hashes: Annotated[bool, typer.Option(help="Read each object and compare its SHA-256.")] = True,
    grace_hours: Annotated[
        float, typer.Option(min=0, help="Age of an object without a row from which it is an orphan.")
    ] = _GRACE_HOURS,
    as_json: Json = False,
) -> None:
    """Compare rows, objects, hashes, active models and runs while the system runs; status 1 for findings."""
    scope = Scope(hashes, datetime.now(UTC) - timedelta(hours=grace_hours))

    async def work(stores: Stores) -> Report:
        """Check, then repair if that is requested."""
        report = await check(scope, stores=stores)
        if repair:
            await repair_findings(report, stores=stores)
        return report

    report = run(work)
    rows = [
        {
            "finding": finding.kind,
            "subject": finding.subject,
            "user_id": finding.user_id,
            "repaired": finding.repaired,
            "what": finding.sentence,
        }
        for finding in report.findings
    ]
    if rows or as_json:
        show(rows, as_json=as_json)
    typer.echo(_summary(report), err=as_json)
    if report.unrepaired:
        raise typer.Exit(1)


def _summary(report: Report) -> str:
    """Return the counts of what was checked and of the findings of each kind."""
    checked = ", ".join(f"{count:,} {name}" for name, count in sorted(report.checked.items()))
    kinds = Counter(finding.kind for finding in report.findings)
    listed = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items())) or "no findings"
    repaired = len(report.findings) - report.unrepaired
    return f"Checked {checked}: {listed}" + (f"; {repaired:,} repaired" if repaired else "")
