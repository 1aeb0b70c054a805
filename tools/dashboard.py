"""Write the Grafana dashboard of deploy/observability, or check that it is fresh (`--check`)."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "deploy" / "observability" / "grafana" / "dashboards" / "ketav.json"
WIDTH, HEIGHT, COLUMNS = 8, 8, 3
"""Grafana's units of a panel, and the panels in a row of its 24 columns."""


@dataclass(frozen=True)
class Panel:
    """A graph: its title, the unit in Grafana's terms, and pairs of a PromQL expression and a legend."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]


def quantiles(histogram: str, by: str, matchers: str = "") -> tuple[tuple[str, str], ...]:
    """Return the queries for the median and the 95th percentile of a histogram by a label."""
    selected = f"{histogram}_bucket{{{matchers}}}" if matchers else f"{histogram}_bucket"
    return tuple(
        (
            f"histogram_quantile({share}, sum by (le, {by}) (rate({selected}[$__rate_interval])))",
            f"{{{{{by}}}}} p{round(100 * share)}",
        )
        for share in (0.5, 0.95)
    )


def rate(counter: str, *by: str, matchers: str = "") -> tuple[tuple[str, str], ...]:
    """Return the query for the rate of a counter by labels."""
    selected = f"{counter}{{{matchers}}}" if matchers else counter
    legend = " ".join(f"{{{{{label}}}}}" for label in by)
    return ((f"sum by ({', '.join(by)}) (rate({selected}[$__rate_interval]))", legend),)


def mean(histogram: str, by: str = "") -> str:
    """Return the expression for the mean of a histogram's values over a day."""
    return f"sum {by}(increase({histogram}_sum[1d])) / sum {by}(increase({histogram}_count[1d]))"


def per_hour(counter: str, label: str, name: str) -> tuple[str, str]:
    """Return the query for the increase of a counter within an hour by a label, with a legend."""
    return f"sum by ({label}) (increase({counter}[1h]))", f"{name} {{{{{label}}}}}"


HTTP = "ketav_http_request_duration_seconds"
CALLS = "ketav_rpc_handled_total"
USERS = 'route!~"/livez|/readyz"'
ROWS: dict[str, tuple[Panel, ...]] = {
    "Requests": (
        Panel("Requests by status", "reqps", rate(f"{HTTP}_count", "status", matchers=USERS)),
        Panel("Duration by route", "s", quantiles(HTTP, "route", USERS)),
        Panel(
            "Requests in progress",
            "short",
            (("sum by (instance) (ketav_http_requests_active)", "{{instance}}"),),
        ),
        Panel("Calls by service", "reqps", rate(CALLS, "service")),
        Panel(
            "Calls that fail",
            "reqps",
            rate("ketav_rpc_handled_total", "method", "code", matchers='code!="OK"'),
        ),
        Panel("Duration of calls", "s", quantiles("ketav_rpc_duration_seconds", "method")),
    ),
    "Reading": (
        Panel("Stages of a reading", "s", quantiles("ketav_reading_stage_seconds", "stage")),
        Panel("Wait for a reader", "s", quantiles("ketav_reading_queue_delay_seconds", "job")),
        Panel("Images by outcome", "reqps", rate("ketav_readings_total", "outcome")),
        Panel(
            "Readers",
            "short",
            (
                ("sum(ketav_readers_configured)", "configured"),
                ("sum(ketav_readers_alive)", "alive"),
                ("sum(ketav_readers_busy)", "busy"),
                ("sum(ketav_readings_waiting)", "images that wait"),
                ("sum(ketav_reading_queue_slots_free)", "free slots of the queue"),
            ),
        ),
        Panel(
            "Pages of jobs",
            "short",
            (
                ("max(ketav_job_pages_waiting)", "wait"),
                ("sum(ketav_job_pages_active)", "are read"),
                per_hour("ketav_job_pages_total", "outcome", "in an hour"),
            ),
        ),
        Panel("Duration of jobs", "s", quantiles("ketav_job_duration_seconds", "outcome")),
        Panel("Lines read", "reqps", rate("ketav_lines_read_total", "instance")),
        Panel(
            "Deaths and failed starts of readers",
            "short",
            (
                ("sum(increase(ketav_reader_deaths_total[1h]))", "deaths"),
                ("sum(increase(ketav_reader_failed_starts_total[1h]))", "failed starts"),
                ("sum(increase(ketav_readers_renewed_total[1h]))", "renewed for their memory"),
                ("sum(increase(ketav_reading_budget_overruns_total[1h]))", "images over their budget"),
            ),
        ),
        Panel("Model cache by result", "reqps", rate("ketav_model_cache_lookups_total", "result")),
        Panel(
            "Model cache",
            "bytes",
            (
                ("sum by (instance) (ketav_model_cache_bytes)", "{{instance}}"),
                ("max(ketav_model_cache_limit_bytes)", "limit"),
            ),
        ),
    ),
    "Corrections and training": (
        Panel(
            "CER of readings against corrections",
            "percentunit",
            ((mean("ketav_correction_cer_ratio", "by (script) "), "{{script}}"),),
        ),
        Panel("Corrections", "reqps", rate("ketav_corrections_total", "script", "state")),
        Panel("Unfinished runs", "short", (("max(ketav_training_runs_unfinished)", "runs"),)),
        Panel("Wait for a worker", "s", quantiles("ketav_training_queue_delay_seconds", "job")),
        Panel("Duration of runs", "s", quantiles("ketav_training_run_duration_seconds", "outcome")),
        Panel("Stages of a training", "s", quantiles("ketav_training_stage_seconds", "stage")),
        Panel(
            "Runs and attempts by outcome in an hour",
            "short",
            (
                (
                    "sum by (outcome) (increase(ketav_training_run_duration_seconds_count[1h]))",
                    "run {{outcome}}",
                ),
                (
                    "sum by (outcome) (increase(ketav_training_attempt_duration_seconds_count[1h]))",
                    "attempt {{outcome}}",
                ),
                ("sum by (verdict) (increase(ketav_gate_verdicts_total[1h]))", "gate {{verdict}}"),
            ),
        ),
        Panel("CER in the gate", "percentunit", quantiles("ketav_gate_cer_ratio", "model")),
        Panel(
            "Leases, fences and the queue in an hour",
            "short",
            (
                ("sum(increase(ketav_lease_expiries_total[1h]))", "expired leases"),
                ("sum(increase(ketav_fence_rejections_total[1h]))", "stale fences"),
                ("sum(increase(ketav_training_enqueue_failures_total[1h]))", "runs not enqueued"),
                ("sum(ketav_training_attempts_active)", "attempts in progress"),
            ),
        ),
    ),
    "Stores and webhooks": (
        Panel(
            "Connections to PostgreSQL",
            "short",
            (
                ("sum by (state) (ketav_database_connections)", "{{state}}"),
                ("sum(ketav_database_connections_limit)", "limit"),
            ),
        ),
        Panel("Wait for a connection", "s", quantiles("ketav_database_connection_delay_seconds", "job")),
        Panel(
            "Webhooks in an hour",
            "short",
            (
                per_hour("ketav_webhook_attempts_total", "outcome", "attempt"),
                per_hour("ketav_webhook_deliveries_total", "outcome", "delivery"),
            ),
        ),
        Panel(
            "Attempts of a delivery",
            "short",
            ((mean("ketav_webhook_delivery_attempts"), "mean of a day"),),
        ),
        Panel("Memory of processes", "bytes", (("process_resident_memory_bytes", "{{job}} {{instance}}"),)),
        Panel(
            "Processor time",
            "percentunit",
            (("rate(process_cpu_seconds_total[$__rate_interval])", "{{job}} {{instance}}"),),
        ),
    ),
}


def panels() -> Iterator[dict[str, Any]]:
    """Yield the rows and graphs with their positions."""
    top, number = 0, 0
    for title, graphs in ROWS.items():
        number += 1
        position = {"x": 0, "y": top, "w": WIDTH * COLUMNS, "h": 1}
        yield {"id": number, "type": "row", "title": title, "gridPos": position, "panels": []}
        top += 1
        for index, graph in enumerate(graphs):
            number += 1
            x, y = WIDTH * (index % COLUMNS), top + HEIGHT * (index // COLUMNS)
            yield {"id": number, "gridPos": {"x": x, "y": y, "w": WIDTH, "h": HEIGHT}, **graph_json(graph)}
        top += HEIGHT * -(-len(graphs) // COLUMNS)


def graph_json(graph: Panel) -> dict[str, Any]:
    """Return a graph as Grafana stores it, without its position."""
    return {
        "type": "timeseries",
        "title": graph.title,
        "datasource": {"type": "prometheus", "uid": "prometheus"},
        "fieldConfig": {"defaults": {"unit": graph.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {"refId": chr(ord("A") + index), "expr": expression, "legendFormat": legend}
            for index, (expression, legend) in enumerate(graph.queries)
        ],
    }


def dashboard() -> str:
    """Return the dashboard as JSON."""
    content = {
        "uid": "ketav",
        "title": "Ketav",
        "schemaVersion": 41,
        "tags": ["ketav"],
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "panels": list(panels()),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the dashboard, or with --check return 1 when the committed one differs."""
    fresh = dashboard()
    if "--check" not in sys.argv:
        FILE.write_text(fresh, encoding="utf-8")
        return 0
    stale = not FILE.is_file() or FILE.read_text(encoding="utf-8") != fresh
    print("the dashboard is stale: run `python -m tools.dashboard`" if stale else "the dashboard is fresh")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
