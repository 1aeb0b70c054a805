"""Structured logs: one JSON object for each line on stderr; events and facts, never images, text or keys."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from ketav_common import context, tracing

_SILENT_LIBRARIES = ("python_multipart",)
"""Libraries whose messages quote what a client sent; their errors are raised, so nothing is lost."""

Event = MutableMapping[str, Any]


def _add_context(_logger: object, _method: str, event: Event) -> Event:
    """Add trace id, request id and user of the call under way; outside a call the event gets none of them."""
    if trace_id := tracing.trace_id():
        event.setdefault("trace_id", trace_id)
    identity, request_id = context.identity_or_none(), context.request_id_or_none()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    if identity is not None and identity.user_id is not None:
        event.setdefault("user_id", str(identity.user_id))
    return event


def configure(service: str, level: str = "INFO") -> None:
    """Send this process's logs, those of the standard library too, as JSON lines to stderr."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_context,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        lambda _logger, _method, event: {"service": service, **event},
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    for name in _SILENT_LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def get_logger() -> structlog.stdlib.BoundLogger:
    """Return a logger of events: `log.info("page_recognized", lines=22)`."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger
