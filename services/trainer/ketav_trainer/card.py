"""The model card of a version: its lineage, its training data, and the gate's verdict."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from ketav_trainer.domain import Claim, Dataset, ModelRef
from ketav_trainer.gate import LineErrors, Verdict, cer

_SOFTWARE: Final = ("ketav", "kraken", "torch")


def describe(claim: Claim, compared: ModelRef, dataset: Dataset, verdict: Verdict) -> dict[str, Any]:
    """Return lineage, data, figures and verdict of a candidate that was compared with a model.

    CERs are from 0 to 1, the date is in UTC.
    """
    return {
        "run_id": claim.run_id,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "parent": claim.parent.version,
        "parent_sha256": claim.parent.sha256,
        "compared_with": compared.version,
        "compared_with_sha256": compared.sha256,
        "from_new_base": claim.from_new_base,
        "base": claim.base.version,
        "base_sha256": claim.base.sha256,
        "dataset_sha256": dataset.sha256,
        "training_lines": dataset.count(holdout=False),
        "holdout_lines": dataset.count(holdout=True),
        "cer_before": verdict.cer_before,
        "cer_after": verdict.cer_after,
        "general_cer_before": verdict.general_before,
        "general_cer_after": verdict.general_after,
        "general_cer_limit": verdict.general_limit,
        "probability_better": verdict.probability,
        "improved_lines": verdict.improved,
        "reason": verdict.reason,
        "verdict": verdict.sentence,
        "software": software(),
    }


def own_figures(claim: Claim, errors: Sequence[LineErrors]) -> dict[str, Any]:
    """Return the CERs, 0 to 1, of the base and of the user's own hand on new lines, empty without it."""
    if claim.own is None:
        return {}
    return {
        "own_hand": {
            "version": claim.own.version,
            "lines": len(errors),
            "cer_base": cer(errors, serving=True),
            "cer_own": cer(errors, serving=False),
        }
    }


def sentence_of(claim: Claim, verdict: Verdict, *, own_is_reference: bool) -> str:
    """Return the verdict for the user, with the origin of the model and what serves if it is rejected."""
    sentences = [verdict.sentence]
    if claim.from_new_base:
        sentences.insert(0, f"Trained from the new base model {claim.base.version}.")
        if not verdict.promote:
            sentences.append("Your earlier model keeps serving.")
    if own_is_reference:
        outcome = "The comparison is with" if verdict.promote else "This hand is read by"
        sentences.append(f"{outcome} the model of your own hand, which reads it better than the base model.")
    return " ".join(sentences)


def software() -> dict[str, str]:
    """Return the versions of the software that trains."""
    return {name: _version(name) for name in _SOFTWARE}


def _version(name: str) -> str:
    """Return the version of a distribution, "unknown" where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
