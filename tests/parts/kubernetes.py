"""The manifests of deploy/k8s as they are applied, and an evaluator of their network policies."""

import functools
import ipaddress
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.check import environment
from tools.kubernetes import ROOT, Manifest, render_all, tool

NAMESPACE = "ketav"
COMPONENT = "app.kubernetes.io/component"
WORKLOADS = ("Deployment", "StatefulSet", "Job")
SECRETS_PATH = "/run/secrets/ketav"


@functools.cache
def rendered() -> dict[str, list[Manifest]]:
    """Return the manifests of each overlay, rendered once."""
    return render_all()


def of_kind(overlay: str, *kinds: str) -> dict[str, Manifest]:
    """Return an overlay's manifests of some kinds by name."""
    return {
        manifest["metadata"]["name"]: manifest
        for manifest in rendered()[overlay]
        if manifest["kind"] in kinds
    }


def pod_of(workload: Manifest) -> dict[str, Any]:
    """Return the pod specification of a workload."""
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def container_of(workload: Manifest) -> dict[str, Any]:
    """Return the single container of a workload."""
    (container,) = pod_of(workload)["containers"]
    assert isinstance(container, dict)
    return container


def secret_names(workload: Manifest) -> list[str]:
    """Return the Secrets that a workload mounts."""
    return [
        source["secret"]["name"] if "secret" in source else source["secretName"]
        for volume in pod_of(workload)["volumes"]
        for source in [*volume.get("projected", {}).get("sources", []), volume.get("secret", {})]
        if source
    ]


def variables(overlay: str, workload: Manifest) -> dict[str, str | None]:
    """Return the settings of a workload; None represents the content of a secret's file."""
    container, config, secrets = (
        container_of(workload),
        of_kind(overlay, "ConfigMap"),
        of_kind(overlay, "Secret"),
    )
    values: dict[str, str | None] = {}
    for source in container.get("envFrom", []):
        values |= config[source["configMapRef"]["name"]]["data"]
    for name in secret_names(workload):
        values |= dict.fromkeys(secrets[name]["data"])
    return values | {variable["name"]: variable["value"] for variable in container.get("env", [])}


@functools.cache
def compose_services() -> dict[str, Any]:
    """Return the services of docker-compose.yml, of all profiles, with placeholders as secrets."""
    command = [tool("docker-compose"), "--env-file=/dev/null", "--profile=*", "config", "--format=json"]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True, timeout=60
    )
    services: dict[str, Any] = json.loads(ran.stdout)["services"]
    return services


@dataclass(frozen=True)
class Peer:
    """One end of a connection: a pod with the labels of its namespace and its own, or an address outside."""

    address: str
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_governed(self) -> bool:
        """Return whether the policies of Ketav's namespace apply to it."""
        return self.namespace == NAMESPACE


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return whether a label selector selects labels; an empty one selects all."""
    pairs = selector.get("matchLabels", {})
    expressions = selector.get("matchExpressions", [])
    assert all(expression["operator"] == "In" for expression in expressions), "not evaluated by this test"
    return all(labels.get(key) == value for key, value in pairs.items()) and all(
        labels.get(expression["key"]) in expression["values"] for expression in expressions
    )


def matches(entry: Mapping[str, Any], peer: Peer) -> bool:
    """Return whether an entry of `from` or `to` includes a peer."""
    if "ipBlock" in entry:
        address, block = ipaddress.ip_address(peer.address), entry["ipBlock"]
        return address in ipaddress.ip_network(block["cidr"]) and not any(
            address in ipaddress.ip_network(network) for network in block.get("except", [])
        )
    if peer.namespace is None:
        return False
    if "namespaceSelector" in entry:
        if not selects(entry["namespaceSelector"], {"kubernetes.io/metadata.name": peer.namespace}):
            return False
    elif not peer.is_governed:
        return False
    return selects(entry.get("podSelector", {}), peer.labels)


def rules(policies: Sequence[Manifest], peer: Peer, direction: str) -> Iterator[Mapping[str, Any]] | None:
    """Return the rules of a pod in a direction, Ingress or Egress; None if no policy restricts it."""
    selected = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], peer.labels)
    ]
    if not selected:
        return None
    return (rule for spec in selected for rule in spec.get(direction.lower(), []))


def permits(rule: Mapping[str, Any], side: str, peer: Peer, port: int, protocol: str) -> bool:
    """Return whether a rule permits a connection with a peer; a rule without peers or ports permits all."""
    peers, ports = rule.get(side), rule.get("ports")
    return (peers is None or any(matches(entry, peer) for entry in peers)) and (
        ports is None
        or any(entry["protocol"] == protocol and entry.get("port", port) == port for entry in ports)
    )


def is_allowed(
    policies: Sequence[Manifest], source: Peer, target: Peer, port: int, protocol: str = "TCP"
) -> bool:
    """Return whether a connection is allowed on both of its sides that these policies govern."""
    outgoing = rules(policies, source, "Egress") if source.is_governed else None
    incoming = rules(policies, target, "Ingress") if target.is_governed else None
    return (outgoing is None or any(permits(rule, "to", target, port, protocol) for rule in outgoing)) and (
        incoming is None or any(permits(rule, "from", source, port, protocol) for rule in incoming)
    )
