"""Log events name the request and the user that they belong to."""

import json
import subprocess
import sys
import uuid

from ketav_common import context

USER = uuid.UUID(int=7)
_PROGRAM = f"""
import logging, uuid
from ketav_common import context
from ketav_common.identity import Identity
from ketav_common.logging import configure, get_logger

configure("gateway")
get_logger().info("outside_call")
with context.bind(identity=Identity("user", uuid.UUID({str(USER)!r})), request_id="r-1"):
    get_logger().info("inside_call")
    logging.getLogger("library").warning("library_event")
    from python_multipart.multipart import MultipartParser
    for body in (b"a secret that is no boundary", b"--b--\\r\\nsecret"):
        try:
            MultipartParser(b"b").write(body)
        except Exception:
            pass
get_logger().info("after_call")
"""


def test_only_events_of_a_call_have_a_request_id_and_a_user() -> None:
    """Events outside a call have neither; those of libraries within a call have both."""
    process = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    events = {event["event"]: event for event in map(json.loads, process.stderr.splitlines())}
    for name in ("inside_call", "library_event"):
        assert (events[name]["request_id"], events[name]["user_id"]) == ("r-1", str(USER))
    for name in ("outside_call", "after_call"):
        assert not {"request_id", "user_id"} & events[name].keys()


def test_a_library_that_quotes_what_a_client_sent_logs_nothing() -> None:
    """The multipart parser warns of unexpected bytes and quotes them."""
    process = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    assert {event["event"] for event in map(json.loads, process.stderr.splitlines())} == {
        "outside_call",
        "inside_call",
        "library_event",
        "after_call",
    }


def test_an_outgoing_call_outside_a_request_gets_a_new_request_id() -> None:
    """The called service can then log the events of this call under one id."""
    assert context.request_id_or_none() is None
    assert context.request_id() != context.request_id()
    with context.bind(request_id="r-1"):
        assert context.request_id() == context.request_id_or_none() == "r-1"
