"""JSON of accounts."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from ketav_common.limits import MAX_IMAGE_BYTES, MIB
from ketav_gateway import examples
from ketav_gateway.schemas import ResponseBody

_EXAMPLE: dict[str, Any] = {
    "user_id": "3c2b1a09-8f7e-4d6c-9b5a-4f3e2d1c0b9a",
    "name": "archive",
    "created_at": examples.CREATED_AT,
    "key": {"prefix": "ktv_0a1b2c3d", "created_at": examples.CREATED_AT},
    "roles": ["user"],
    "limits": {
        "requests": "3000/minute",
        "readings": "3000/minute",
        "uploads_at_once": 6,
        "imports_at_once": 1,
        "max_upload_bytes": MAX_IMAGE_BYTES,
        "max_import_bytes": 256 * MIB,
        "max_json_bytes": 2 * MIB,
    },
}


class Key(ResponseBody):
    """The API key of the request; the key itself is not stored."""

    prefix: str = Field(description="Its first characters, by which the operator names it.")
    created_at: datetime = Field(description="When it was created.")


class Limits(ResponseBody):
    """Limits of this server for your requests; above them it answers 429, or 413 for a size."""

    requests: str = Field(description="Requests in a window of time, counted in each process.")
    readings: str = Field(description="Readings, imports and training runs in a window of time.")
    uploads_at_once: int = Field(description="Uploads that are received at the same time.")
    imports_at_once: int = Field(description="Imports that are received at the same time.")
    max_upload_bytes: int = Field(description="Bytes of an image.")
    max_import_bytes: int = Field(description="Bytes of a ground-truth archive.")
    max_json_bytes: int = Field(description="Bytes of a JSON body.")


class Account(ResponseBody):
    """Your account, the key of the request, and your limits."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    user_id: str = Field(description="UUID of the user.")
    name: str = Field(description="Name that the operator gave you.")
    created_at: datetime = Field(description="When the account was created.")
    key: Key = Field(description="The API key of the request.")
    roles: list[Literal["user"]] = Field(description="What the key may do: `user`, all of this API.")
    limits: Limits = Field(description="The limits of your requests.")


class AuditEntry(ResponseBody):
    """An action on your account."""

    created_at: datetime = Field(description="When it was done.")
    actor: str = Field(
        description="Who did it: `user`, with one of your keys; `member`, of a project of yours; `operator`; "
        "a service, such as `trainer`; or `database`, a statement of the database's owner."
    )
    member: str | None = Field(
        description="Name of the member's account; null for other actors, and once you share nothing with it."
    )
    action: str = Field(
        description="`account.created`, `.disabled`, `.enabled`; `key.created`, `.revoked`; `page.deleted`; "
        "`project.deleted`, `.exported`; `model.activated`; `webhook.set`, `.deleted`."
    )
    subject: str = Field(
        description="A key's 8 characters after `ktv_`, a model's version (`base`: the base of the script), "
        "or a project's id with the format of the export; empty for what is deleted and for the account."
    )


class AuditList(ResponseBody):
    """Actions on your account, newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "entries": [
                    {
                        "created_at": examples.CREATED_AT,
                        "actor": "operator",
                        "member": None,
                        "action": "key.created",
                        "subject": "0a1b2c3d",
                    }
                ],
                "next_cursor": None,
            }
        }
    )

    entries: list[AuditEntry] = Field(description="Newest first.")
    next_cursor: str | None = Field(description="Cursor of the next part; null in the last one.")


class Session(ResponseBody):
    """The session of a browser."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "csrf_token": "5a0f4c3e9d1b7a6805f4e3d2c1b0a9f8e7d6c5b4a39281706f5e4d3c2b1a0918",
                "expires_at": "2026-11-30T08:00:00Z",
            }
        }
    )

    csrf_token: str = Field(
        description="Value of the header `X-CSRF-Token` of requests that change something."
    )
    expires_at: datetime = Field(description="When the session ends.")
