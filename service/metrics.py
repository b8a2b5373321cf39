"""What Prometheus reads at `/metrics`, in a registry of the app's own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from engine import LearnReport, Response, SearchEngine

SECONDS = (0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5)
COUNTS = (0, 5, 10, 20, 40, 60, 80, 120, 200, 400)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counters, gauges and histograms; safe in threads."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "ltrr_requests", "Requests answered", ("route", "status"), registry=registry
        )
        self.latency = Histogram(
            "ltrr_request_seconds", "Time to answer", ("route",), buckets=SECONDS, registry=registry
        )
        self.waiting = Gauge("ltrr_searches_waiting", "Searches in the queue", registry=registry)
        self._searches = Counter(
            "ltrr_searches", "Searches answered, logged or not", ("logged",), registry=registry
        )
        self._partial = Counter(
            "ltrr_searches_degraded", "Searches with notes: partial answers", registry=registry
        )
        self._candidates = Histogram(
            "ltrr_candidates", "Candidates a search ranked", buckets=COUNTS, registry=registry
        )
        self._drawn = Counter(
            "ltrr_drawn", "Candidates asked of each generator", ("generator",), registry=registry
        )
        self._stages = Histogram(
            "ltrr_stage_seconds", "Time of each stage", ("stage",), buckets=SECONDS,
            registry=registry,
        )  # fmt: skip
        self.events = Counter(
            "ltrr_events", "Events recorded by action", ("action",), registry=registry
        )
        self._learnt = Counter("ltrr_learns", "Times it has learnt", registry=registry)
        self._learning = Gauge("ltrr_learn_seconds", "Time of the last learn", registry=registry)
        self._documents = Gauge("ltrr_documents", "Documents searched", registry=registry)
        self._version = Gauge("ltrr_state_version", "Version of what is learnt", registry=registry)

    def searched(self, response: Response) -> None:
        """Count an answer."""
        self._searches.labels("yes" if response.impression_id else "no").inc()
        self._candidates.observe(response.candidates)
        if response.notes:
            self._partial.inc()
        for generator, depth in response.plan.items():
            if depth:
                self._drawn.labels(generator).inc(depth)
        for stage, ms in response.timings.items():
            self._stages.labels(stage).observe(ms / 1000.0)

    def learnt(self, report: LearnReport) -> None:
        """Count a `learn`."""
        self._learnt.inc()
        self._learning.set(report.seconds)

    def text(self, engine: SearchEngine) -> bytes:
        """In Prometheus' text format."""
        self._documents.set(len(engine))
        self._version.set(engine.state.version)
        return generate_latest(self.registry)
