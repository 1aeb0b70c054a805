"""Webhooks go to public addresses, are signed, and every kind of receiver is reported."""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import trustme
from standardwebhooks import Webhook

from ketav.registry.v1 import webhooks_pb2
from ketav_common.addresses import is_public
from ketav_common.errors import InvalidInput
from ketav_registry.domain.webhooks import check_url, retry_delay
from ketav_trainer.webhooks import DeliveryError, WebhookSender

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def receiver(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Run a receiver on a free port of this machine; give its URL."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?to=me"
    finally:
        server.close()


def saying(answer: bytes, *, pause: float = 0, endless: bool = False) -> Answer:
    """Return a receiver that sends the same answer to every request."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read the head, wait, answer, close."""
        try:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(pause)
            writer.write(answer)
            while endless:
                writer.write(b"x" * 65_536)
                await writer.drain()
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort() if endless else writer.close()

    return handle


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read the head and reset the connection."""
    await reader.readuntil(b"\r\n\r\n")
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def delivery(url: str) -> webhooks_pb2.ClaimedDelivery:
    """Return a delivery to a URL."""
    return webhooks_pb2.ClaimedDelivery(
        delivery_id="an-id", attempt=1, url=url, secret=SECRET, body='{"type": "webhook.test"}'
    )


async def failure_of(
    answer: Answer,
    seconds: float = 30,
    tls: ssl.SSLContext | None = None,
    trust: ssl.SSLContext | None = None,
) -> str:
    """Send a delivery; return why it failed, or nothing."""
    sender = WebhookSender(seconds, allow_private=True, trust=trust or ssl.create_default_context())
    async with receiver(answer, tls) as url:
        try:
            await sender.send(delivery(url))
        except DeliveryError as error:
            return str(error)
    return ""


async def test_a_receiver_can_verify_what_it_gets() -> None:
    """Headers, body and path as the specification has them; the signature over id, time and body."""
    seen: dict[str, bytes] = {}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep the request and accept it."""
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        seen["line"] = lines[0].encode()
        seen.update(
            {k.lower(): v.strip().encode() for k, _, v in (line.partition(":") for line in lines[1:])}
        )
        seen["body"] = await reader.readexactly(int(seen["content-length"]))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    assert await failure_of(handle) == ""
    assert seen["line"] == b"POST /hook?to=me HTTP/1.1"
    assert seen["webhook-id"] == b"an-id"
    assert abs(int(seen["webhook-timestamp"]) - time.time()) < 60
    signed = b"an-id." + seen["webhook-timestamp"] + b"." + seen["body"]
    expected = base64.b64encode(hmac.new(bytes(range(32)), signed, hashlib.sha256).digest())
    assert seen["webhook-signature"] == b"v1," + expected
    headers = {name: value.decode() for name, value in seen.items() if name.startswith("webhook-")}
    assert Webhook(SECRET).verify(seen["body"], headers) == {"type": "webhook.test"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (saying(b"HTTP/1.1 500 Oops\r\n\r\n"), "answered with status 500"),
        (saying(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"), "answered with status 302"),
        (saying(b"HTTP/1.1 410 Gone\r\n\r\n"), "answered with status 410"),
        (saying(b"SSH-2.0-OpenSSH\r\n"), "closed the connection without an HTTP answer"),
        (saying(b""), "closed the connection without an HTTP answer"),
        (reset, "closed the connection without an HTTP answer"),
        (saying(b"x" * 300_000), "answer is not HTTP"),
        (saying(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000), "answer is not HTTP"),
        (saying(b"", pause=30), "did not answer within 1 seconds"),
        (saying(b"HTTP/1.1 200", pause=0.2), "closed the connection without an HTTP answer"),
    ],
)
async def test_whatever_is_not_2xx_in_time_is_a_failure_with_a_sentence(answer: Answer, reason: str) -> None:
    """Errors, redirects, other protocols, long lines and silence: in time, and none is followed."""
    began = time.monotonic()
    assert reason in await failure_of(answer, 1 if "within" in reason else 30)
    assert time.monotonic() - began < 25


@pytest.mark.parametrize(
    ("name", "trusted", "reason"),
    [
        ("127.0.0.1", True, ""),
        ("example.org", True, "certificate is not valid for its name"),
        ("127.0.0.1", False, "certificate is not valid for its name"),
    ],
)
async def test_over_https_only_a_receiver_with_a_trusted_certificate_of_its_name_gets_a_delivery(
    name: str, trusted: bool, reason: str
) -> None:
    """Another name or an unknown authority ends the try before anything is sent."""
    ours, known = trustme.CA(), ssl.create_default_context()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.issue_cert(name).configure_cert(tls)
    if trusted:
        ours.configure_trust(known)
    requests: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep what was sent, and accept it."""
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    failure = await failure_of(note, tls=tls, trust=known)
    assert reason in failure
    assert (failure == "") == (reason == "") == (len(requests) == 1)


async def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server that answers differently the second time gains nothing; the receiver sees its name."""
    loop = asyncio.get_running_loop()
    resolved: list[str] = []
    seen: list[bytes] = []

    async def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        """Return this machine's address, whatever the name."""
        resolved.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep the head of the request and accept it."""
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    async with receiver(handle) as url:
        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        named = url.replace("127.0.0.1", "receiver.example")
        await WebhookSender(5, allow_private=True).send(delivery(named))
    assert resolved == ["receiver.example"]
    host = named.removeprefix("http://").partition("/")[0]
    assert f"host: {host}".encode() in seen[0].lower()


@pytest.mark.parametrize("name", ["straße.de", "💚.example.org", "דואר.example", "fuß.דואר.example"])
async def test_a_host_in_punycode_is_resolved_verified_and_named_as_it_is_in_the_url(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Decoding it would name another host (straße.de, strasse.de) or fail (emoji are not in IDNA 2008)."""
    ascii_name = ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in name.split(".")
    )
    ours, trust = trustme.CA(), ssl.create_default_context()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # trustme makes no certificate for an emoji's label alone.
    ours.issue_cert("*.example.org" if name.endswith(".org") else ascii_name).configure_cert(tls)
    ours.configure_trust(trust)
    loop = asyncio.get_running_loop()
    resolved: list[object] = []
    requests: list[bytes] = []

    async def resolve(host: object, port: int, **_: object) -> list[tuple[object, ...]]:
        """Return this machine's address, whatever the name."""
        resolved.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep the head of the request and accept it."""
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    async with receiver(handle, tls) as url:
        named = url.replace("127.0.0.1", ascii_name)
        check_url(named, private=False)
        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        await WebhookSender(5, allow_private=True, trust=trust).send(delivery(named))
    assert resolved == [ascii_name]
    host = named.removeprefix("https://").partition("/")[0]
    assert f"host: {host}\r\n".encode() in requests[0].lower()


@pytest.mark.parametrize("rest", ["/a%2Fb?x=%20y&z=a%2Bb", "/", "?only=query", "/a;b=c/d,e/(f)/'g'"])
async def test_the_path_of_a_delivery_is_the_path_of_the_url(rest: str) -> None:
    """Percent-encoded characters stay percent-encoded, and no others are."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep the first line of the request and accept it."""
        seen.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    async with receiver(handle) as url:
        await WebhookSender(5, allow_private=True).send(delivery(url.partition("/hook")[0] + rest))
    assert seen == [b"POST " + (rest if rest.startswith("/") else f"/{rest}").encode() + b" HTTP/1.1"]


async def test_a_huge_answer_is_not_read() -> None:
    """The status is enough; an endless body costs nothing."""
    began = time.monotonic()
    assert await failure_of(saying(b"HTTP/1.1 200 OK\r\n\r\n", endless=True)) == ""
    assert time.monotonic() - began < 25


PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.2.1"),
)


@pytest.mark.parametrize("address", PRIVATE)
async def test_an_address_that_is_not_public_is_never_called(address: str) -> None:
    """Neither as a literal in the URL nor behind a name."""
    assert not is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(InvalidInput):
        check_url(f"https://{host}/", private=False)
    with pytest.raises(DeliveryError, match="address is not public"):
        await WebhookSender(2).send(delivery(f"https://{host}/"))


async def test_a_name_that_stands_for_this_machine_is_never_called() -> None:
    """The look-up is checked, and what is called is what was looked up."""
    with pytest.raises(DeliveryError, match="address is not public"):
        await WebhookSender(2).send(delivery("https://localhost/"))
    assert is_public(ipaddress.ip_address("8.8.8.8"))
    assert is_public(ipaddress.ip_address("2a00:1450:4001:80b::200e"))


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.org", "ftp://example.org/", "http://example.org/", "https://", "https:///path"),
        *("https://user@example.org/", "https://u:p@example.org/", "https://example.org/#part"),
        *("https://example.org:0/", "https://example.org:99999/", "https://exa mple.org/", "https://é.org/"),
        *("https://example.org/\r\nX: y", "https://example.org/\x00", "https://[::1", "https://localhost/"),
        *(
            "https://" + "a" * 2000,
            "https://exam\\ple.org/",
            "http://127.0.0.1/",
            "https://a..b/",
            "https://.b/",
        ),
        *("https://exa<mple.org/", "https://[v1.a]/", "https://%41.org/", "https://" + "a" * 64 + ".org/"),
    ],
)
def test_what_is_no_public_https_url_is_refused(url: str) -> None:
    """Syntax, scheme, credentials, fragments, ports, injected headers."""
    with pytest.raises(InvalidInput) as caught:
        check_url(url, private=False)
    assert caught.value.code == "invalid-url"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("https://", "The URL has no host."),
        ("https:example.org", "The URL has no host."),
        ("https://:443/hook", "The URL has no host."),
        ("https://me@example.org/", "The URL has a user or a password."),
        ("https://example.org/#part", "The URL has a fragment."),
        ("https://a..b/", "The host of the URL is neither a name nor an address."),
        ("ftp://example.org/", "The URL of the webhook does not begin with https://."),
    ],
)
def test_the_sentence_about_a_url_names_the_part_that_is_wrong(url: str, sentence: str) -> None:
    """One sentence for each part, so that it asks for no change of another part."""
    with pytest.raises(InvalidInput) as caught:
        check_url(url, private=False)
    assert caught.value.detail.startswith(sentence)
    assert caught.value.details == {"pointer": "/url"}


@pytest.mark.parametrize(
    "host",
    [
        *(
            "2130706433",
            "0x7f000001",
            "017700000001",
            "127.1",
            "0x7f.1",
            "0177.0.0.1",
            "0",
            "0x",
            "1.1.1.1.1",
        ),
        *("256.1.1.1", "127.0.0.1.", "2130706433.", "localhost.", "a.localhost", "printer", "printer."),
        *("metadata.google.internal", "printer.local", "router.home.arpa", "a.internal.", "a.test"),
    ],
)
def test_other_spellings_of_an_address_and_names_of_a_local_network_are_refused(host: str) -> None:
    """A resolver reads a number in any base as an address, and such names are nowhere on the internet."""
    with pytest.raises(InvalidInput) as caught:
        check_url(f"https://{host}/", private=False)
    assert caught.value.code == "invalid-url"


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "8.8.8.8.", "example.org.", "4.example.org", "0x7.a1", "1e100.net"]
)
def test_an_address_and_a_name_of_the_internet_are_accepted(host: str) -> None:
    """Digits in a name do not make it an address."""
    check_url(f"https://{host}/", private=False)


def test_names_of_a_local_network_are_accepted_where_private_addresses_are() -> None:
    """There is no public DNS in a private network; another spelling of an address is an error there, too."""
    check_url("https://printer/", private=True)
    check_url("https://hooks.internal/", private=True)
    with pytest.raises(InvalidInput):
        check_url("https://2130706433/", private=True)


def test_http_is_for_this_machine_and_only_where_it_is_allowed() -> None:
    """The setting for tests and single machines."""
    check_url("https://example.org:8443/a?b=c", private=False)
    check_url("http://127.0.0.1:8080/", private=True)
    check_url("https://10.0.0.1/", private=True)
    with pytest.raises(InvalidInput):
        check_url("http://10.0.0.1/", private=True)


def test_eight_attempts_are_within_a_day() -> None:
    """Each pause is longer than the one before; after the eighth try there is none."""
    pauses = [retry_delay(attempt) for attempt in range(1, 9)]
    assert pauses[-1] is None
    waits = [pause for pause in pauses if pause is not None]
    assert waits == sorted(waits)
    assert timedelta(hours=20) < sum(waits, timedelta()) <= timedelta(days=1, hours=1)
