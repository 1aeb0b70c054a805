"""The flows that the network policies of each overlay allow are the intended ones, in all combinations.

A flow is a connection of one peer to a port of another one.
"""

import ipaddress
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketav_common.addresses import is_public
from tests.parts.kubernetes import NAMESPACE, WORKLOADS, Peer, is_allowed, of_kind
from tools.kubernetes import OVERLAYS, Manifest

SERVICES = ("gateway", "registry", "recognizer", "recognizer-worker", "trainer", "trainer-worker")
USERS_OF_THE_QUEUE = ("recognizer", "recognizer-worker", "trainer", "trainer-worker")
OUTSIDE = {
    "internet": Peer("93.184.216.34"),
    "internet-ipv6": Peer("2606:2800:220:1:248:1893:25c8:1946"),
    "private": Peer("10.0.0.7"),
    "metadata": Peer("169.254.169.254"),
    "postgresql": Peer("192.0.2.10"),
    "s3": Peer("192.0.2.20"),
    "redis-server": Peer("192.0.2.30"),
    "monitoring": Peer("10.244.1.1", "monitoring", {"app": "prometheus"}),
    "ingress": Peer("10.244.1.2", "ingress", {"app": "controller"}),
    "stranger": Peer("10.244.1.3", "default", {"app.kubernetes.io/component": "gateway"}),
    "dns": Peer("10.244.1.4", "kube-system", {"k8s-app": "kube-dns"}),
}
"""Peers that are no pods of Ketav; the pods have addresses that are private, too."""
PORTS = (22, 53, 443, 5432, 6379, 8000, 9000, 9464, 50051)
Flow = tuple[str, str, int]


def policies(overlay: str) -> list[Manifest]:
    """Return the network policies of an overlay."""
    return list(of_kind(overlay, "NetworkPolicy").values())


def pods(overlay: str) -> dict[str, Peer]:
    """Return a pod of each workload, with an address of its own."""
    return {
        name: Peer(f"10.244.0.{number}", NAMESPACE, workload["spec"]["template"]["metadata"]["labels"])
        for number, (name, workload) in enumerate(of_kind(overlay, *WORKLOADS).items(), start=1)
    }


def allowed_flows(overlay: str) -> set[Flow]:
    """Return all flows between two different peers, one of them a pod of Ketav, that are allowed."""
    peers = {**pods(overlay), **OUTSIDE}
    return {
        (source, target, port)
        for (source, target), port in itertools.product(itertools.permutations(peers, 2), PORTS)
        if (source not in OUTSIDE or target not in OUTSIDE)
        and is_allowed(policies(overlay), peers[source], peers[target], port)
    }


def flows_of_all(overlay: str) -> set[Flow]:
    """Return the flows that every overlay must allow."""
    calls = {
        *itertools.product(["gateway"], ["registry", "recognizer", "trainer"], [50051]),
        *itertools.product(USERS_OF_THE_QUEUE, ["registry"], [50051]),
        ("recognizer-worker", "recognizer", 50051),
    }
    metrics = set(itertools.product(["monitoring"], [*SERVICES, "migrate"], [9464]))
    dns = set(itertools.product(pods(overlay), ["dns"], [53]))
    webhooks = set(itertools.product(["trainer"], ["internet", "internet-ipv6"], PORTS))
    return calls | metrics | dns | webhooks


FLOWS_TO_BUNDLED_STORES = {
    *itertools.product(["registry", "migrate"], ["postgres"], [5432]),
    *itertools.product(["registry", "migrate"], ["objects"], [9000]),
    *itertools.product(["gateway", *USERS_OF_THE_QUEUE], ["redis"], [6379]),
}
FLOWS_TO_MANAGED_STORES = {
    *itertools.product(["registry", "migrate"], ["postgresql"], [5432]),
    *itertools.product(["registry", "migrate"], ["s3"], [443]),
    *itertools.product(["gateway", *USERS_OF_THE_QUEUE], ["redis-server"], [6379]),
}


def test_in_dev_exactly_the_intended_flows_are_allowed() -> None:
    """The gateway is open; registry and migration alone reach PostgreSQL and objects; all else is denied."""
    entrance = set(itertools.product(OUTSIDE, ["gateway"], [8000]))
    assert allowed_flows("dev") == flows_of_all("dev") | FLOWS_TO_BUNDLED_STORES | entrance


@pytest.mark.parametrize("overlay", ["prod", "gpu"])
def test_in_prod_exactly_the_intended_flows_are_allowed(overlay: str) -> None:
    """The ingress controller reaches the gateway; registry and migration reach PostgreSQL and S3."""
    entrance = {("ingress", "gateway", 8000)}
    assert allowed_flows(overlay) == flows_of_all(overlay) | FLOWS_TO_MANAGED_STORES | entrance


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_denied_what_no_policy_allows(overlay: str) -> None:
    """A pod without any label of Ketav reaches the DNS alone, and no peer reaches it."""
    pod = Peer("10.244.0.99", NAMESPACE, {})
    peers = {**pods(overlay), **OUTSIDE}
    outgoing = {
        (name, port)
        for name, port in itertools.product(peers, PORTS)
        if is_allowed(policies(overlay), pod, peers[name], port)
    }
    assert outgoing == {("dns", 53)}
    assert not any(
        is_allowed(policies(overlay), peer, pod, port)
        for peer, port in itertools.product(peers.values(), PORTS)
    )
    assert is_allowed(policies(overlay), pod, OUTSIDE["dns"], 53, "UDP")
    assert not is_allowed(policies(overlay), pod, OUTSIDE["dns"], 443, "UDP")


def may_receive_webhooks(address: str) -> bool:
    """Return whether the trainer may connect to an address by https."""
    return is_allowed(policies("prod"), pods("prod")["trainer"], Peer(address), 443)


@given(st.ip_addresses())
def test_webhooks_leave_to_public_addresses_alone(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """The network denies what the trainer itself refuses, and so a mistake in one of them is not enough."""
    if may_receive_webhooks(str(address)):
        assert is_public(address)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("9.255.255.255", True),
        ("10.0.0.0", False),
        ("10.255.255.255", False),
        ("11.0.0.0", True),
        ("100.63.255.255", True),
        ("100.64.0.0", False),
        ("127.0.0.1", False),
        ("172.15.255.255", True),
        ("172.16.0.0", False),
        ("172.31.255.255", False),
        ("172.32.0.0", True),
        ("192.167.255.255", True),
        ("192.168.0.0", False),
        ("192.169.0.0", True),
        ("223.255.255.255", True),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("2a00::1", True),
        ("fd00::1", False),
        ("fe80::1", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::1", False),
    ],
)
def test_the_edges_of_the_private_ranges_are_as_intended(address: str, allowed: bool) -> None:
    """The last address before a range is public, the first one in it is not."""
    assert may_receive_webhooks(address) is allowed
