"""Settings of the gateway, from the environment."""

import re
from typing import Annotated

from limits import parse
from pydantic import AfterValidator, Field

from ketav_common.limits import MAX_EXPORT_BYTES, MAX_IMAGE_BYTES, MIB
from ketav_common.setting_types import GrpcAddress, RedisUrl, Secret, WritableDirectory
from ketav_common.settings import ServiceSettings

_ORIGIN = re.compile(r"https?://(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
"""An origin as browsers send it (RFC 6454, section 6.2): lower case, without a path."""


def origins_of(text: str) -> list[str]:
    """Return the origins of a list."""
    return [origin.strip() for origin in text.split(",") if origin.strip()]


def check_origins(text: str) -> str:
    """Return comma-separated origins; raises ValueError for a text that is no list of them."""
    for origin in origins_of(text):
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ValueError(
                "must be origins such as https://app.example.org, separated by commas, without a path, or *"
            )
    return text


def check_rate(text: str) -> str:
    """Return a limit written like `60/minute`; raises ValueError for another text."""
    requirement = "must be a number of requests and a window, such as 60/minute or 5/10 seconds"
    try:
        item = parse(text)
    except ValueError:
        raise ValueError(requirement) from None
    if item.amount < 1 or item.get_expiry() < 1:
        raise ValueError(requirement)
    return text


RateLimit = Annotated[str, AfterValidator(check_rate)]
"""Requests within a window, such as `60/minute`."""


Origins = Annotated[str, AfterValidator(check_origins)]
"""Origins separated by commas; `*` alone allows every one."""


class GatewaySettings(ServiceSettings):
    """The gateway's settings."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 uses a free one.")
    registry_address: GrpcAddress = Field("127.0.0.1:50051", description="gRPC address of the registry.")
    recognizer_address: GrpcAddress = Field("127.0.0.1:50052", description="gRPC address of the recognizer.")
    trainer_address: GrpcAddress = Field("127.0.0.1:50053", description="gRPC address of the trainer.")
    forwarded_allow_ips: str = Field(
        "", description="Addresses of proxies whose X-Forwarded-For is used; empty: none."
    )
    cors_origins: Origins = Field(
        "",
        description="Origins of web pages that may call the API from a browser, separated by commas, such as "
        "`https://app.example.org`; `*`: all. Empty: none.",
    )
    docs: bool = Field(
        default=True,
        description="Whether the API's description is served, /docs and /openapi.json; `off` removes both.",
    )
    spool_dir: WritableDirectory | None = Field(
        None, description="Folder for uploads in progress; unset: the system's temporary folder."
    )

    call_timeout_s: float = Field(
        10.0, gt=0, description="Deadline in seconds of a call that reads or writes rows."
    )
    store_timeout_s: float = Field(
        60.0, gt=0, description="Deadline in seconds of a call that stores or returns an image or a project."
    )
    recognize_timeout_s: float = Field(
        60.0, gt=0, description="Deadline in seconds of reading one page, with its wait for a reader."
    )
    recognize_line_timeout_s: float = Field(
        30.0, gt=0, description="Deadline in seconds of reading an image of one line, with its wait."
    )
    watch_timeout_s: float = Field(
        3600.0, gt=0, description="Deadline in seconds of the event stream of a training run."
    )
    health_timeout_s: float = Field(2.0, gt=0, description="Deadline in seconds of a service's health check.")

    max_upload_bytes: int = Field(
        MAX_IMAGE_BYTES, gt=0, description="Maximum size of an uploaded image or document."
    )
    document_timeout_s: float = Field(
        300.0,
        gt=0,
        description="Seconds to store and read the pages of one PDF or TIFF; pages that remain are not read.",
    )
    max_json_bytes: int = Field(2 * MIB, gt=0, description="Maximum size of a JSON body.")
    max_uploads: int = Field(
        16, gt=0, description="Received uploads that are decoded and stored at once; further ones get 503."
    )
    max_uploads_per_user: int = Field(
        6,
        gt=0,
        description="Received uploads of one user that are stored at once; further ones get 429.",
    )
    max_spool_bytes: int = Field(
        896 * MIB,
        gt=0,
        description="Bytes of uploads and archives that are received or processed at once; further ones get "
        "503. A user may have half of them while no other sends any, and 429 above that.",
    )
    max_import_bytes: int = Field(256 * MIB, gt=0, description="Maximum size of a ground-truth archive.")
    max_import_entries: int = Field(5000, gt=0, description="Maximum number of files in an archive.")
    max_import_inflated_bytes: int = Field(
        1024 * MIB, gt=0, description="Maximum size of an archive after decompression."
    )
    import_timeout_s: float = Field(
        300.0, gt=0, description="Seconds of one import; files that remain are reported as skipped."
    )
    max_imports: int = Field(
        4, gt=0, description="Received archives that are imported at once; further ones get 503."
    )
    max_imports_per_user: int = Field(
        1, gt=0, description="Imports of one user at once; further ones get 429."
    )
    export_timeout_s: float = Field(
        480.0, gt=0, description="Seconds of one export of a project; a longer one is cut off."
    )
    export_job_timeout_s: float = Field(
        3600.0, gt=0, description="Seconds to write one export in the background; a longer one fails."
    )
    max_export_bytes: int = Field(
        MAX_EXPORT_BYTES,
        gt=0,
        le=MAX_EXPORT_BYTES,
        description="Maximum size of an export in the background: the gateway and the registry each hold "
        "KETAV_EXPORT_JOBS_AT_ONCE of them in temporary files.",
    )
    export_jobs_at_once: int = Field(
        2, ge=0, description="Exports that a gateway writes in the background at once; 0: it writes none."
    )
    max_exports: int = Field(8, gt=0, description="Exports of projects at once; further ones get 503.")
    max_exports_per_user: int = Field(
        2, gt=0, description="Exports of one user at once; further ones get 429."
    )
    max_requests: int = Field(256, gt=0, description="Requests handled at once; further ones get 503.")
    header_timeout_s: float = Field(
        10.0, gt=0, description="Seconds within which a request must send all its headers."
    )
    chunk_timeout_s: float = Field(
        15.0, gt=0, description="Maximum number of seconds between two chunks of a request's body."
    )
    min_body_rate: float = Field(
        1024.0,
        gt=0,
        description="Bytes a second at which a body must arrive, on an average of KETAV_BODY_GRACE_S; a "
        "slower one gets 408.",
    )
    body_grace_s: float = Field(
        10.0, gt=0, description="Seconds for which a body may stay below KETAV_MIN_BODY_RATE."
    )
    body_timeout_s: float = Field(
        180.0, gt=0, description="Seconds within which a request must send its whole body."
    )
    image_workers: int = Field(2, gt=0, description="Processes that decode uploads.")
    image_timeout_s: float = Field(20.0, gt=0, description="Maximum number of seconds to decode an upload.")
    image_memory_bytes: int = Field(
        1536 * MIB, gt=0, description="Maximum address space of a decoding process."
    )

    key_cache_s: float = Field(
        3.0,
        ge=0,
        le=30,
        description="Seconds for which a resolved API key or session is cached; a revoked key, and a session "
        "that another gateway has ended, works so long.",
    )
    session_secret: Secret = Field(
        description="Secret that signs the sessions of browsers, at least 32 characters; the same in all "
        "gateways."
    )
    session_lifetime_s: int = Field(
        14 * 24 * 3600,
        ge=60,
        le=90 * 24 * 3600,
        description="Seconds after which a browser's session ends and the page asks for the API key again.",
    )
    key_cache_size: int = Field(4096, gt=0, description="Maximum number of cached API keys.")
    redis_url: RedisUrl | None = Field(
        None,
        description="Redis or Valkey in which all gateways together count the requests of users; without it, "
        "and while it is unavailable, each gateway counts its own.",
    )
    rate_limit: RateLimit = Field("3000/minute", description="Requests of one user.")
    ocr_rate_limit: RateLimit = Field(
        "3000/minute",
        description="Readings, jobs, imports, training runs and tests of a webhook of one user; the users of "
        "a recognizer take turns in any case.",
    )
    failed_key_rate_limit: RateLimit = Field(
        "60/minute",
        description="Requests from one address with an API key that the registry does not know; further "
        "ones get 429 instead of 401.",
    )
