"""The repairs that lose nothing: orphans, versions that cannot serve, runs that no worker can continue."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from ketav_common.logging import get_logger
from ketav_registry.domain.models import ModelState, Script
from ketav_registry.fsck.check import orphans
from ketav_registry.fsck.findings import Finding, FindingKind, Report
from ketav_registry.repository import erasure, models, object_removal, stored_objects
from ketav_registry.stores import Stores
from ketav_registry.usecases.object_removal import is_plausible

log = get_logger()


async def repair(report: Report, *, stores: Stores) -> None:
    """Repair findings, and mark those that are repaired; models first, because others depend on them."""
    orphaned = [finding.subject for finding in report.findings if finding.kind is FindingKind.ORPHAN]
    left: set[FindingKind] = set()
    if not is_plausible(orphaned, report.checked["objects"] + len(orphaned)):
        left.add(FindingKind.ORPHAN)
    if _is_other_store(report):
        left.add(FindingKind.MODEL_MISSING)
    order = sorted(report.findings, key=lambda finding: finding.kind not in _MODEL_FINDINGS)
    repaired = []
    for finding in order:
        if finding.kind in left:
            repaired.append(finding)
            continue
        repaired.append(replace(finding, repaired=await _repair(finding, stores)))
    report.findings = repaired


_MODEL_FINDINGS = {FindingKind.MODEL_MISSING, FindingKind.MODEL_DAMAGED}
_MIN_SUSPICIOUS_LOSSES = 20
"""More missing objects than this, and than half of all, mean that the store is another one."""


def _is_other_store(report: Report) -> bool:
    """Return whether so many objects are missing that the store is another one, or not mounted.

    Then no version is retired: the models of all users would stop serving, although no file is lost.
    """
    missing = {FindingKind.IMAGE_MISSING, FindingKind.DOCUMENT_MISSING, FindingKind.MODEL_MISSING}
    lost = sum(finding.kind in missing for finding in report.findings)
    objects = report.checked["objects"]
    if lost < objects and lost <= max(_MIN_SUSPICIOUS_LOSSES, objects // 2):
        return False
    if lost:
        log.error("too_many_objects_missing", count=lost, objects=objects)
    return bool(lost)


async def _repair(finding: Finding, stores: Stores) -> bool:
    """Repair one finding; return whether it is repaired."""
    if finding.kind is FindingKind.ORPHAN:
        return await _remove_orphan(finding.subject, stores)
    if finding.kind in _MODEL_FINDINGS:
        return await _retire(finding, stores)
    if finding.kind is FindingKind.ACTIVE_MODEL and finding.user_id is not None:
        await _fall_back(finding.user_id, stores)
        return True
    if finding.kind in {FindingKind.RUN_WITHOUT_LEASE, FindingKind.RUN_EXHAUSTED}:
        expired = finding.kind is FindingKind.RUN_WITHOUT_LEASE
        change = stored_objects.expire_run if expired else stored_objects.fail_run
        async with stores.database.system() as transaction:
            await change(transaction, UUID(finding.subject))
        return True
    return False


async def _remove_orphan(key: str, stores: Stores) -> bool:
    """Delete an object unless a row refers to it by now, or a backup copies objects."""
    async with stores.database.system() as transaction:
        if not await object_removal.may_remove(transaction):
            return False
    if await orphans([key], stores):
        await stores.blobs.remove(key)
    return True


async def _retire(finding: Finding, stores: Stores) -> bool:
    """Retire a version whose file is lost; the nearest ancestor that can serve, or the base, replaces it.

    The last base of a script is not retired: pages would then be refused with another reason only.
    """
    async with stores.database.system() as transaction:
        if finding.user_id is None and not await _has_other_base(finding.subject, stores):
            return False
        await models.set_state(transaction, finding.subject, ModelState.RETIRED)
    log.warning("model_retired", version=finding.subject)
    if finding.user_id is not None:
        await _fall_back(finding.user_id, stores)
    return True


async def _has_other_base(version: str, stores: Stores) -> bool:
    """Return whether each script that a base serves has another one."""
    async with stores.database.system() as transaction:
        bases = [base for base in await models.list_all(transaction) if base.user_id is None]
    available = [
        base for base in bases if base.state is ModelState.AVAILABLE and base.model.version != version
    ]
    lost = next((base for base in bases if base.model.version == version), None)
    scripts: Sequence[Script] = list(Script) if lost is None or lost.script is None else [lost.script]
    return all(any(base.script in {None, script} for base in available) for script in scripts)


async def _fall_back(user_id: UUID, stores: Stores) -> None:
    """Replace active versions of a user that never serve by an ancestor that can, or by the base."""
    async with stores.database.user(user_id) as transaction:
        for hand, version in (await erasure.fallback_versions(transaction, user_id)).items():
            await models.activate(transaction, user_id, hand, version)
