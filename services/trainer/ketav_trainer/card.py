"""The model card of a version: its lineage, its training data, and the gate's verdict."""

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from ketav_trainer.domain import Claim, Dataset
from ketav_trainer.gate import Verdict

_SOFTWARE: Final = ("ketav", "kraken", "torch")


def describe(claim: Claim, dataset: Dataset, verdict: Verdict) -> dict[str, Any]:
    """Return lineage, data, figures and verdict of a candidate: CERs from 0 to 1, the date in UTC."""
    return {
        "run_id": claim.run_id,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "parent": claim.parent.version,
        "parent_sha256": claim.parent.sha256,
        "base": claim.base.version,
        "base_sha256": claim.base.sha256,
        "dataset_sha256": dataset.sha256,
        "training_lines": dataset.count(holdout=False),
        "holdout_lines": dataset.count(holdout=True),
        "cer_before": verdict.cer_before,
        "cer_after": verdict.cer_after,
        "general_cer_before": verdict.general_before,
        "general_cer_after": verdict.general_after,
        "probability_better": verdict.probability,
        "verdict": verdict.sentence,
        "software": software(),
    }


def software() -> dict[str, str]:
    """Return the versions of the software that trains."""
    return {name: _version(name) for name in _SOFTWARE}


def _version(name: str) -> str:
    """Return the version of a distribution, "unknown" where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
