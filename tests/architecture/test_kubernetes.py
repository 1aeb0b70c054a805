"""The manifests of deploy/k8s: valid, complete, hardened, and the same system as docker-compose.yml."""

import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from ketav_common.identity_keys import Service, key_id, private_key, trusted_keys
from ketav_common.readiness import LIVENESS
from ketav_common.rpc import CONNECTION_SECONDS
from ketav_common.settings import SECRETS_DIR
from ketav_gateway.http.routes import router
from ketav_registry.usecases.training_metrics import UNFINISHED_RUNS
from ketav_trainer.settings import WorkerSettings
from tests.parts.kubernetes import (
    COMPONENT,
    SECRETS_PATH,
    WORKLOADS,
    compose_services,
    container_of,
    of_kind,
    pod_of,
    rendered,
    secret_names,
    selects,
    variables,
)
from tools.kubernetes import MANIFESTS, OVERLAYS, PLACEHOLDERS, Manifest, problems
from tools.settings_doc import SECTIONS, load

SERVICES = ("gateway", "registry", "recognizer", "recognizer-worker", "trainer", "trainer-worker")
OWN = (*SERVICES, "migrate")
STORES = ("postgres", "redis", "objects")
NOT_SETTINGS = {SECRETS_DIR}
"""The variable that names where settings are."""
UNITS = {"": 1, "m": 1e-3, "Mi": 2**20, "Gi": 2**30, "k": 1e3, "b": 1}
each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def amount(quantity: str) -> float:
    """Return a quantity such as 500m, 2Gi or compose's number of bytes as a number."""
    match = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", str(quantity))
    assert match is not None, quantity
    return float(match[1]) * UNITS[match[2]]


def image_name(image: str) -> str:
    """Return an image without the registry's host and the tag."""
    return image.removeprefix("registry.example.com/").rpartition(":")[0]


def seconds(duration: str) -> int:
    """Return a duration such as 1m15s in seconds."""
    match = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", duration)
    assert match is not None
    return int(match[1] or 0) * 60 + int(match[2] or 0)


# ── valid ──────────────────────────────────────────────────────────────────────────────────────────────────


@each_overlay
def test_every_manifest_is_valid(overlay: str) -> None:
    """By Kubernetes' own schemas, strictly, and by ours for KEDA."""
    assert [line for manifest in rendered()[overlay] for line in problems(manifest)] == []


def test_a_misspelt_field_and_a_wrong_type_are_rejected() -> None:
    """Of a Deployment in both versions, and of a ScaledObject."""
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x"},
        "spec": {
            "selector": {},
            "template": {"spec": {"containers": [{"name": "x", "readynessProbe": {}}]}},
        },
    }
    assert len(list(problems(deployment))) == 2
    (scaled,) = of_kind("prod", "ScaledObject").values()
    spec = scaled["spec"]
    assert list(problems(scaled)) == []
    for wrong in (
        {**spec, "minReplicas": 1},
        {**spec, "maxReplicaCount": "4"},
        {**spec, "triggers": []},
        {**spec, "triggers": [{"type": "prometheus", "metadata": {"threshold": 1}}]},
    ):
        assert list(problems({**scaled, "spec": wrong})) != []
    assert "Couldn't find schema" in next(problems({**deployment, "kind": "Deploymint"}))


# ── complete ───────────────────────────────────────────────────────────────────────────────────────────────


@each_overlay
def test_every_reference_resolves(overlay: str) -> None:
    """ConfigMaps, Secrets, volumes, claims, ports of probes, and the targets of the autoscalers."""
    config, secrets = of_kind(overlay, "ConfigMap"), of_kind(overlay, "Secret")
    for name, workload in of_kind(overlay, *WORKLOADS).items():
        container, pod = container_of(workload), pod_of(workload)
        assert {source["configMapRef"]["name"] for source in container.get("envFrom", [])} <= set(config)
        assert set(secret_names(workload)) <= set(secrets)
        claims = [claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])]
        volumes = [volume["name"] for volume in pod["volumes"]] + claims
        mounts = [mount["name"] for mount in container["volumeMounts"]]
        assert sorted(mounts) == sorted(volumes), f"{name}: a volume is mounted once"
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            checks = container.get(probe, {})
            assert checks.get("httpGet", {}).get("port", "http") in {*ports, "http"}
            assert checks.get("grpc", {}).get("port", 50051) == 50051
    for scaler in of_kind(overlay, "HorizontalPodAutoscaler", "ScaledObject").values():
        assert scaler["spec"]["scaleTargetRef"]["name"] in of_kind(overlay, "Deployment")


@each_overlay
def test_every_selector_selects_the_pods_of_one_workload(overlay: str) -> None:
    """Services, disruption budgets and the workloads themselves; a Service's port is a port of its pods."""
    workloads = of_kind(overlay, *WORKLOADS)
    labels = {
        name: workload["spec"]["template"]["metadata"]["labels"] for name, workload in workloads.items()
    }
    for name, manifest in of_kind(overlay, "Service").items():
        selector = {"matchLabels": manifest["spec"]["selector"]}
        assert [pod for pod in labels if selects(selector, labels[pod])] == [name]
        ports = {port["name"] for port in container_of(workloads[name])["ports"]}
        assert {port["targetPort"] for port in manifest["spec"]["ports"]} <= ports
    for manifest in of_kind(overlay, "PodDisruptionBudget", "Deployment", "StatefulSet").values():
        selector = manifest["spec"]["selector"]
        assert [pod for pod in labels if selects(selector, labels[pod])] == [manifest["metadata"]["name"]]
    assert set(of_kind(overlay, "PodDisruptionBudget")) == set(SERVICES)
    for ingress in of_kind(overlay, "Ingress").values():
        (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
        assert path["backend"]["service"] == {"name": "gateway", "port": {"name": "http"}}


@each_overlay
def test_every_variable_is_a_setting(overlay: str) -> None:
    """A misspelt one would be ignored by the process."""
    fields = {name for settings in SECTIONS.values() for name in load(settings).model_fields}
    known = {f"KETAV_{name.upper()}" for name in fields} | NOT_SETTINGS
    for name in OWN:
        workload = of_kind(overlay, "Deployment", "Job")[name]
        assert set(variables(overlay, workload)) - known == set(), name
        assert variables(overlay, workload)[SECRETS_DIR] == SECRETS_PATH


@each_overlay
def test_autoscaled_workloads_have_no_fixed_number_of_pods(overlay: str) -> None:
    """An upgrade would otherwise scale them back."""
    scalers = of_kind(overlay, "HorizontalPodAutoscaler", "ScaledObject").values()
    scaled = {scaler["spec"]["scaleTargetRef"]["name"] for scaler in scalers}
    assert scaled == {"gateway", "recognizer"} | ({"trainer-worker"} if overlay != "dev" else set())
    for name in scaled:
        assert "replicas" not in of_kind(overlay, "Deployment")[name]["spec"]


@pytest.mark.parametrize("overlay", ["prod", "gpu"])
def test_in_prod_each_service_has_two_pods_and_one_may_be_missing(overlay: str) -> None:
    """So that a node can be drained without an interruption."""
    deployments, scalers = of_kind(overlay, "Deployment"), of_kind(overlay, "HorizontalPodAutoscaler")
    for name in ("gateway", "registry", "recognizer", "trainer"):
        scaler = scalers.get(name)
        pods = scaler["spec"]["minReplicas"] if scaler else deployments[name]["spec"]["replicas"]
        assert pods == 2, name
        assert of_kind(overlay, "PodDisruptionBudget")[name]["spec"]["maxUnavailable"] == 1


def test_workers_are_scaled_on_the_metric_of_the_registry_and_kept_while_a_training_may_run() -> None:
    """The query takes the maximum, because each registry exports the same number."""
    (scaled,) = of_kind("prod", "ScaledObject").values()
    (trigger,) = scaled["spec"]["triggers"]
    assert trigger["metadata"]["query"] == f"max({UNFINISHED_RUNS})"
    behavior = scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    longest = WorkerSettings.model_fields["training_seconds"].default
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] >= longest
    assert scaled["spec"]["minReplicaCount"] >= 1, "without a worker nothing sweeps"


@each_overlay
def test_probes_ask_what_the_services_answer(overlay: str) -> None:
    """Liveness does not depend on the stores: a restart would not bring them back."""
    paths = {getattr(route, "path", "") for route in router.routes}
    deployments = of_kind(overlay, "Deployment")
    for name in ("registry", "recognizer", "trainer"):
        container = container_of(deployments[name])
        assert container["startupProbe"]["grpc"]["service"] == LIVENESS
        assert container["livenessProbe"]["grpc"]["service"] == LIVENESS
        assert container["readinessProbe"]["grpc"] == {"port": 50051}
    gateway = container_of(deployments["gateway"])
    probes = {
        kind: gateway[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")
    }
    assert probes == {"startup": "/readyz", "readiness": "/livez", "liveness": "/livez"}
    assert set(probes.values()) <= paths
    for name in ("recognizer-worker", "trainer-worker"):
        container = container_of(deployments[name])
        beat_file = variables(overlay, deployments[name])["KETAV_BEAT_FILE"]
        assert beat_file is not None
        assert beat_file in container["livenessProbe"]["exec"]["command"][-1]


@each_overlay
def test_clients_find_every_pod_before_an_old_one_stops(overlay: str) -> None:
    """Names of headless Services resolve to pods; a connection lasts CONNECTION_SECONDS plus a tenth."""
    services = of_kind(overlay, "Service")
    for name in ("registry", "recognizer", "trainer"):
        assert services[name]["spec"]["clusterIP"] == "None"
        spec = of_kind(overlay, "Deployment")[name]["spec"]
        assert spec["minReadySeconds"] > 1.1 * CONNECTION_SECONDS
        assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


# ── hardened ───────────────────────────────────────────────────────────────────────────────────────────────


@each_overlay
def test_every_pod_keeps_the_restricted_profile(overlay: str) -> None:
    """And has a read-only file system, requests and limits, and no access to the API of the cluster."""
    (namespace,) = of_kind(overlay, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, workload in of_kind(overlay, *WORKLOADS).items():
        pod, container = pod_of(workload), container_of(workload)
        security = pod["securityContext"]
        assert (security["runAsNonRoot"], security["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
        assert security["runAsUser"] == (10001 if name in OWN else security["runAsGroup"]) != 0
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert {"cpu", "memory"} <= set(container["resources"]["limits"])
        for volume in pod["volumes"]:
            assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": ""}), volume
            assert "hostPath" not in volume


@each_overlay
def test_secrets_are_files_that_only_their_readers_have(overlay: str) -> None:
    """No variable has a secret, and the owner's password is mounted by the migration alone."""
    readers: dict[str, set[str]] = {}
    for name in OWN:
        workload = of_kind(overlay, "Deployment", "Job")[name]
        for secret in secret_names(workload):
            readers.setdefault(secret.rpartition("-")[0], set()).add(name)
        mounts = {mount["name"]: mount for mount in container_of(workload)["volumeMounts"]}
        assert mounts["secrets"] == {"name": "secrets", "mountPath": SECRETS_PATH, "readOnly": True}
    assert readers == {
        "ketav-identity": set(OWN),
        "ketav-identity-gateway": {"gateway"},
        "ketav-identity-registry": {"registry"},
        "ketav-identity-recognizer": {"recognizer", "recognizer-worker"},
        "ketav-identity-trainer": {"trainer", "trainer-worker"},
        "ketav-session": {"gateway"},
        "ketav-stores": {"registry", "migrate"},
        "ketav-owner": {"migrate"},
        "ketav-queue": {"gateway", "recognizer", "recognizer-worker", "trainer", "trainer-worker"},
    }
    text = str([container_of(workload) for workload in of_kind(overlay, *WORKLOADS).values()])
    assert "secretKeyRef" not in text


@pytest.mark.parametrize("overlay", ["prod", "gpu"])
def test_images_of_prod_have_a_version(overlay: str) -> None:
    """A pod that is rescheduled then runs the same code."""
    for workload in of_kind(overlay, *WORKLOADS).values():
        tag = container_of(workload)["image"].rpartition(":")[2]
        assert re.fullmatch(r"\d+\.\d+\.\d+(-cuda)?", tag)


# ── the same system as docker-compose.yml ──────────────────────────────────────────────────────────────────


def workload_of(name: str, overlay: str = "dev") -> Manifest:
    """Return the workload with the name of a service of the compose file."""
    return of_kind(overlay, *WORKLOADS)[name]


def test_the_workloads_are_the_services_of_the_compose_file() -> None:
    """But for its profiles: variants have overlays, observability is the cluster's own."""
    services = {name for name, service in compose_services().items() if not service.get("profiles")}
    assert set(of_kind("dev", *WORKLOADS)) == services == {*OWN, *STORES}


@pytest.mark.parametrize("name", OWN)
def test_image_command_and_variables_are_those_of_the_compose_file(name: str) -> None:
    """Secrets are compared by name. After a change of one of the two files, change the other one as well."""
    service, workload = compose_services()[name], workload_of(name)
    container = container_of(workload)
    assert image_name(container["image"]) == image_name(service["image"])
    assert container.get("command") == service["command"]
    values = variables("dev", workload)
    assert values.pop(SECRETS_DIR) == SECRETS_PATH
    assert set(values) == set(service["environment"])
    differing = {
        key: (value, service["environment"][key])
        for key, value in values.items()
        if value is not None and value != service["environment"][key]
    }
    assert differing == {}


@pytest.mark.parametrize("name", OWN)
def test_ports_volumes_limits_and_grace_are_those_of_the_compose_file(name: str) -> None:
    """The metrics' port is the setting's; a pod has at least the container's time to stop."""
    service, workload = compose_services()[name], workload_of(name)
    container, pod = container_of(workload), pod_of(workload)
    ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
    published = [port["target"] for port in service.get("ports", [])]
    assert [port for key, port in ports.items() if key == "http"] == published
    if name in SERVICES:
        assert str(ports["metrics"]) == service["environment"]["KETAV_METRICS_PORT"]
    targets = {volume["target"] for volume in service.get("volumes", [])} | {"/tmp"}  # noqa: S108 - a mount
    paths = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert paths - {SECRETS_PATH} == targets
    limits = service.get("deploy", {}).get("resources", {}).get("limits")
    if limits:
        assert amount(container["resources"]["limits"]["cpu"]) == float(limits["cpus"])
        assert amount(container["resources"]["limits"]["memory"]) == float(limits["memory"])
    if name in SERVICES:
        assert pod["terminationGracePeriodSeconds"] >= seconds(service["stop_grace_period"])


def test_every_address_of_a_service_is_a_service_with_this_port() -> None:
    """dns:///NAME:PORT, as in the compose file."""
    services = of_kind("dev", "Service")
    addresses = {
        value
        for name in OWN
        for key, value in variables("dev", workload_of(name)).items()
        if key.endswith("_ADDRESS") and value
    }
    assert addresses == {f"dns:///{name}:50051" for name in ("registry", "recognizer", "trainer")}
    for address in addresses:
        name, _, port = address.removeprefix("dns:///").partition(":")
        assert [str(entry["port"]) for entry in services[name]["spec"]["ports"]] == [port]
    dockerfile = (MANIFESTS.parent / "docker" / "services.Dockerfile").read_text(encoding="utf-8")
    assert "KETAV_BIND=0.0.0.0:50051" in dockerfile


@pytest.mark.parametrize("name", STORES)
def test_the_bundled_stores_are_those_of_the_compose_file(name: str) -> None:
    """The same image and version; a variable with a password became one with the name of its file."""
    service, container = compose_services()[name], container_of(workload_of(name))
    assert container["image"] == service["image"]
    environment: dict[str, Any] = service.get("environment") or {}
    values = {variable["name"]: variable["value"] for variable in container.get("env", [])}
    passwords = {key for key in environment if key.endswith(("PASSWORD", "AUTH"))}
    for key in set(environment) - passwords:
        assert values[key] == environment[key]
    files = {value for value in values.values() if value.startswith(SECRETS_PATH)}
    text = f"{files} {container.get('command')}"
    (secret,) = secret_names(workload_of(name))
    (file,) = of_kind("dev", "Secret")[secret]["data"]
    assert f"{SECRETS_PATH}/{file}" in text
    limits = service["deploy"]["resources"]["limits"]
    assert amount(container["resources"]["limits"]["memory"]) == float(limits["memory"])
    mounted = {volume["target"] for volume in service["volumes"]}
    assert mounted <= {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("name", ["recognizer", "trainer-worker"])
def test_the_gpu_overlay_is_the_gpu_profile_of_the_compose_file(name: str) -> None:
    """The image's tag, the device and one GPU; the other services are those of prod."""
    service, workload = compose_services()[f"{name}-gpu"], workload_of(name, "gpu")
    container = container_of(workload)
    assert image_name(container["image"]) == image_name(service["image"])
    assert container["image"].endswith("-cuda")
    assert service["image"].endswith("-cuda")
    added = set(variables("gpu", workload).items()) - set(
        variables("prod", workload_of(name, "prod")).items()
    )
    assert added == {("KETAV_DEVICE", service["environment"]["KETAV_DEVICE"])}
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    others = set(of_kind("prod", "Deployment")) - {"recognizer", "trainer-worker"}
    for other in others:
        assert workload_of(other, "gpu") == workload_of(other, "prod")


# ── secrets ────────────────────────────────────────────────────────────────────────────────────────────────


def write_secrets(folder: Path, overlay: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the script in a folder."""
    script = folder / "k8s" / "write_secrets.py"
    script.parent.mkdir(exist_ok=True)
    script.write_bytes((MANIFESTS / "write_secrets.py").read_bytes())
    (folder / "identity_keys.py").write_bytes((MANIFESTS.parent / "identity_keys.py").read_bytes())
    (script.parent / "overlays" / overlay).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(script), overlay]
    return subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("overlay", ["dev", "prod"])
def test_secrets_are_written_once_and_for_the_owner_alone(overlay: str, tmp_path: Path) -> None:
    """Exactly the files of the overlay's Secrets; a second run changes none."""
    assert write_secrets(tmp_path, overlay, **PLACEHOLDERS).returncode == 0
    folder = tmp_path / "k8s" / "overlays" / overlay / "secrets"
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    mounted = {key for secret in of_kind(overlay, "Secret").values() for key in secret["data"]}
    private = {f"{service.upper()}_IDENTITY_KEY" for service in get_args(Service)}
    assert set(written) == mounted - {"KETAV_IDENTITY_KEY"} | private
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    trusted = trusted_keys(written["KETAV_IDENTITY_PUBLIC_KEYS"])
    for service in get_args(Service):
        assert trusted[key_id(private_key(written[f"{service.upper()}_IDENTITY_KEY"]))].service == service
    assert len(written["KETAV_SESSION_SECRET"]) >= 32
    if overlay == "dev":
        assert written["POSTGRES_PASSWORD"] in written["KETAV_MIGRATION_DATABASE_URL"]
        assert written["REDIS_PASSWORD"] in written["KETAV_REDIS_URL"]
        assert written["S3_SECRET_KEY"] in written["KETAV_BLOB_URL"]
    assert write_secrets(tmp_path, overlay).returncode == 0
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == written


def test_a_missing_address_of_a_managed_store_is_named(tmp_path: Path) -> None:
    """With what to do, and without a traceback."""
    ran = write_secrets(tmp_path, "prod", KETAV_DATABASE_URL=PLACEHOLDERS["KETAV_DATABASE_URL"])
    assert ran.returncode == 1
    assert ran.stderr == (
        "KETAV_MIGRATION_DATABASE_URL is not set. Set it as docs/howto/kubernetes.md describes.\n"
    )


def test_no_secret_is_committed() -> None:
    """The folders of the written files are ignored."""
    for overlay in ("dev", "prod"):
        path = MANIFESTS / "overlays" / overlay / "secrets" / "GATEWAY_IDENTITY_KEY"
        assert (
            subprocess.run(["git", "check-ignore", "--quiet", path], cwd=MANIFESTS, check=False).returncode
            == 0
        )


def test_components_have_the_names_of_their_workloads() -> None:
    """The selectors of the network policies depend on it."""
    for name, workload in of_kind("dev", *WORKLOADS).items():
        assert workload["spec"]["template"]["metadata"]["labels"][COMPONENT] == name
