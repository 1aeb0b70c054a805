"""The dashboard, the alerts and the scrape targets refer to metrics and ports that exist."""

import importlib
import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry, Metric

from ketav_gateway.main import build
from ketav_gateway.settings import GatewaySettings
from ketav_registry.usecases.training_metrics import UnfinishedRuns
from tests.parts.identities import gateway_keys
from tests.parts.promtool import find_promtool
from tools import dashboard

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "observability"
MODULES = (
    "ketav_common.telemetry",
    "ketav_registry.metrics",
    "ketav_recognizer.metrics",
    "ketav_trainer.metrics",
)
"""Modules that define metrics when they are imported."""
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
PROMETHEUS_LABELS = {"job", "instance", "le"}
FOREIGN = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
"""Metrics of Prometheus and of its client library."""
UNITS = ("_seconds", "_bytes", "_ratio", "_total")
COUNTS = {
    "ketav_database_connections",
    "ketav_database_connections_limit",
    "ketav_http_requests_active",
    "ketav_job_pages_active",
    "ketav_job_pages_waiting",
    "ketav_reading_queue_slots_free",
    "ketav_readings_waiting",
    "ketav_readers_alive",
    "ketav_readers_busy",
    "ketav_readers_configured",
    "ketav_training_attempts_active",
    "ketav_training_runs_unfinished",
    "ketav_webhook_delivery_attempts",
}
"""Metrics whose unit is the thing that the name counts."""


@cache
def exported() -> dict[str, Metric]:
    """Return every metric of the services by the name of its family."""
    for module in MODULES:
        importlib.import_module(module)
    gateway = CollectorRegistry()
    settings = GatewaySettings(**gateway_keys())
    app = build(settings, gateway)
    app.middleware_stack = app.build_middleware_stack()
    families = [*REGISTRY.collect(), *gateway.collect(), *UnfinishedRuns().describe()]
    return {family.name: family for family in families if family.name.startswith("ketav_")}


def labels_of(name: str) -> set[str] | None:
    """Return the labels of a series that the services export, None when they export no such series."""
    if name in FOREIGN:
        return set()
    for family in exported().values():
        for suffix in SUFFIXES[family.type]:
            if name == family.name + suffix:
                return set(_label_names(family.name))
    return None


@cache
def _label_names(family: str) -> tuple[str, ...]:
    """Return the names of the labels with which a metric was defined."""
    for collector in list(REGISTRY._collector_to_names):
        if getattr(collector, "_name", None) == family:
            return tuple(getattr(collector, "_labelnames", ()))
    return ("method", "route", "status") if family.startswith("ketav_http_request_duration") else ()


def selectors(node: Any) -> Iterator[Any]:
    """Yield the selectors of a parsed expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
        return
    for attribute in ("lhs", "rhs", "expr", "args", "vector_selector", "param"):
        child = getattr(node, attribute, None)
        children = child if isinstance(child, list) else [child]
        for item in children:
            if type(item).__module__ == "promql_parser" or hasattr(item, "prettify"):
                yield from selectors(item)


def expressions() -> Iterator[tuple[str, str]]:
    """Yield the name and the expression of every alert and of every query of the dashboard."""
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    board = json.loads(dashboard.FILE.read_text("utf-8"))
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")


@pytest.mark.parametrize(("name", "expression"), list(expressions()))
def test_each_expression_selects_metrics_and_labels_that_the_services_export(
    name: str, expression: str
) -> None:
    """A metric that was renamed would leave a panel empty and an alert silent."""
    selected = list(selectors(promql_parser.parse(expression)))
    assert selected
    for selector in selected:
        labels = labels_of(selector.name)
        assert labels is not None, f"{name}: no service exports {selector.name}"
        used = {matcher.name for matcher in selector.matchers.matchers}
        assert used <= labels | PROMETHEUS_LABELS, f"{name}: {selector.name} has no label {used - labels}"
    grouped = {label.strip() for by in re.findall(r"\bby \(([^)]*)\)", expression) for label in by.split(",")}
    known = {label for selector in selected for label in labels_of(selector.name) or ()}
    assert grouped <= known | PROMETHEUS_LABELS, f"{name}: no metric has {grouped - known}"


def test_every_metric_is_in_the_dashboard_or_an_alert() -> None:
    """A metric that neither shows is removed."""
    used = {selector.name for _, text in expressions() for selector in selectors(promql_parser.parse(text))}
    unused = [
        name
        for name, family in exported().items()
        if not {name + suffix for suffix in SUFFIXES[family.type]} & used
    ]
    assert unused == []


def test_every_metric_names_its_unit() -> None:
    """Seconds, bytes, ratios, or totals; or the thing that it counts."""
    named = {name + ("_total" if family.type == "counter" else "") for name, family in exported().items()}
    assert {name for name in named if not name.endswith(UNITS)} == COUNTS


def test_the_documentation_lists_every_metric() -> None:
    """And no other."""
    text = (ROOT / "docs" / "howto" / "observability.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `(ketav_\w+)`", text, re.MULTILINE))
    named = {name + ("_total" if family.type == "counter" else "") for name, family in exported().items()}
    assert listed == named


def test_the_committed_dashboard_is_the_generated_one() -> None:
    """After a change of tools/dashboard.py run `python -m tools.dashboard`."""
    assert dashboard.FILE.read_text("utf-8") == dashboard.dashboard()


def test_prometheus_reads_the_port_on_which_the_services_of_compose_serve_metrics() -> None:
    """One job for each of our services; the collector's and Grafana's addresses are containers too."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    port = compose["x-common"]["KETAV_METRICS_PORT"]
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    own = {"gateway", "registry", "recognizer", "recognizer-worker", "trainer", "trainer-worker"}
    assert {job["job_name"] for job in jobs} == own
    for job in jobs:
        [discovery] = job["dns_sd_configs"]
        assert (discovery["names"], discovery["port"]) == ([job["job_name"]], port)
    published = [str(item) for service in compose["services"].values() for item in service.get("ports", ())]
    assert not [item for item in published if str(port) in item]


@pytest.fixture(scope="module")
def promtool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return Prometheus's checker; skips where it is neither installed nor in Debian's packages."""
    path = find_promtool(tmp_path_factory.mktemp("promtool"))
    if path is None:
        pytest.skip("promtool is not installed, and apt-get cannot download Debian's package prometheus")
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_accepts_the_files_and_the_alerts_fire(promtool: Path, arguments: tuple[str, ...]) -> None:
    """The alerts are evaluated over the series of alerts_test.yml."""
    ran = subprocess.run(
        [str(promtool), *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
