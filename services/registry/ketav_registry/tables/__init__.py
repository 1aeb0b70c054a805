"""The tables as the newest migration leaves them; `alembic check` compares the two."""

from ketav_registry.tables.accounts import account, api_key, ended_session
from ketav_registry.tables.accounts_audit import audit_entry
from ketav_registry.tables.columns import metadata
from ketav_registry.tables.corrections import correction, feedback
from ketav_registry.tables.erasure import erasure
from ketav_registry.tables.ground_truth import dataset, dataset_line
from ketav_registry.tables.jobs import job, job_export, job_page
from ketav_registry.tables.members import project_member
from ketav_registry.tables.models import active_hand_model, active_model, model_version
from ketav_registry.tables.object_removal import object_removal
from ketav_registry.tables.pages import page
from ketav_registry.tables.projects import hand, project
from ketav_registry.tables.requests import done_request
from ketav_registry.tables.training import training_policy, training_run
from ketav_registry.tables.transcriptions import line, transcription
from ketav_registry.tables.webhooks import webhook, webhook_delivery

__all__ = [
    "account",
    "active_hand_model",
    "active_model",
    "api_key",
    "audit_entry",
    "correction",
    "dataset",
    "dataset_line",
    "done_request",
    "ended_session",
    "erasure",
    "feedback",
    "hand",
    "job",
    "job_export",
    "job_page",
    "line",
    "metadata",
    "model_version",
    "object_removal",
    "page",
    "project",
    "project_member",
    "training_policy",
    "training_run",
    "transcription",
    "webhook",
    "webhook_delivery",
]
