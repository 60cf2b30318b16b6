"""What Prometheus is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# Several processes share their numbers through files in this directory, which must be named before prometheus_client is imported.
SHARED_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The numbers of one application, in a registry of their own so that several applications may live in one process."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.in_flight = Gauge("gradwire_requests_in_flight", "Requests being answered.", registry=registry, multiprocess_mode="livesum")
        self._requests = Counter("gradwire_requests", "Requests answered.", ["route", "method", "status"], registry=registry)
        self._seconds = Histogram(
            "gradwire_request_seconds", "Time from the first byte to the last.", ["route", "method"], buckets=_SECONDS, registry=registry
        )
        self._bytes_in = Counter("gradwire_request_body_bytes", "Bytes of request bodies.", ["route"], registry=registry)
        self._bytes_out = Counter("gradwire_response_body_bytes", "Bytes of answers.", ["route"], registry=registry)
        compute = Histogram(
            "gradwire_compute_seconds",
            "Time spent on programs, on the event loop (inline) or on a thread (pool).",
            ["where"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._inline, self._pool = compute.labels("inline"), compute.labels("pool")
        self._refused = Counter("gradwire_refused", "Requests refused or stopped in self-defence.", ["reason"], registry=registry)
        # Looking a series up by its labels costs more than adding to it; the middleware sees to it that there are few.
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram, Counter, Counter]] = {}
        self._registry = registry
        if SHARED_DIRECTORY in os.environ:
            _forget_dead_processes(Path(os.environ[SHARED_DIRECTORY]))
        else:
            for collector in (GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR):
                registry.register(collector)

    def request(self, route: str, method: str, status: int, seconds: float, bytes_in: int, bytes_out: int) -> None:
        """Notes an answered request."""
        key = route, method, status
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = (
                self._requests.labels(route, method, str(status)),
                self._seconds.labels(route, method),
                self._bytes_in.labels(route),
                self._bytes_out.labels(route),
            )
        count, duration, arrived, sent = series
        count.inc()
        duration.observe(seconds)
        arrived.inc(bytes_in)
        sent.inc(bytes_out)

    def compute(self, seconds: float, where: str) -> None:
        """Notes time spent on a program."""
        (self._inline if where == "inline" else self._pool).observe(seconds)

    def refused(self, reason: str) -> None:
        """Notes a request that was refused or stopped."""
        self._refused.labels(reason).inc()

    def exposition(self) -> bytes:
        """The text that a scraper reads; of all processes if there are several."""
        registry = self._registry
        if SHARED_DIRECTORY in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the package types it in part
        return generate_latest(registry)


def _forget_dead_processes(directory: Path) -> None:
    """Drops the gauges of processes that have ended, so that they stop counting."""
    for file in directory.glob("gauge_live*_*.db"):
        process = int(file.stem.rpartition("_")[2])
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            mark_process_dead(process)  # type: ignore[no-untyped-call]  # likewise
