"""What the engine is told between the steps of a replay: the log, or what came of its own pages."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.timeline import Timeline
from engine import Context, Event, LoggedSearch, Query, SearchEngine
from engine.answering import on_the_hour

LOGGED = "logged"
SHOWN = "shown"
FEEDBACK = (LOGGED, SHOWN)


def query_of(search: LoggedSearch) -> Query:
    """A logged search as the engine reads it when it learns from it."""
    context = Context(
        user=search.user,
        time=on_the_hour(search.time.timestamp()),
        attributes=dict(search.attributes),
    )
    return Query(text=search.query, context=context, typed=search.query)


class Feed:
    """Feedback `logged`: every search and event of the log is imported once visible.

    What was told in an interrupted replay is not told twice: a `record` is all or nothing.
    """

    def __init__(self, engine: SearchEngine, timeline: Timeline) -> None:
        self.engine = engine
        self.timeline = timeline

    def tell(self, before: int, start: int) -> None:
        """Record what became visible between the times of searches `before` and `start`; all
        that is visible at `start` where nothing has been learnt yet."""
        engine, timeline = self.engine, self.timeline
        if engine.log.last() != engine.state.learnt:
            return
        done = timeline.known(before) if engine.state.version else (0, 0)
        known = timeline.known(start)
        engine.record(timeline.searches[done[0] : known[0]], timeline.events[done[1] : known[1]])

    def serve(self, start: int, end: int) -> None:
        """Let the engine answer searches `start` to `end` for real: in this mode, none."""


@dataclass(frozen=True, slots=True)
class _Page:
    impression: str
    documents: frozenset[str]


class ShownFeed(Feed):
    """Feedback `shown`: from search `warm` on the engine answers every search of the log, with and
    without clicks, and is told of a logged event only if it showed the document in its first k.

    Up to `warm` the log is imported; events that answer those searches and come later teach
    nothing. Events without a search stay known. The engine's own log says what was served, so that an
    interrupted replay goes on where it stopped.
    """

    def __init__(self, engine: SearchEngine, timeline: Timeline, warm: int, k: int) -> None:
        super().__init__(engine, timeline)
        self.warm = warm
        self.k = k
        self._followed = {event.search for event in timeline.events}
        self._pages: dict[str, _Page] = {}
        done = engine.log.searches(0, engine.log.last()[0])
        served = sorted((row for row in done if not row.imported), key=lambda row: row.seq)
        self._next = warm + len(served)
        for search, row in zip(timeline.searches[warm : self._next], served, strict=True):
            self._keep(search.id, row.impression, row.shown)

    def tell(self, before: int, start: int) -> None:
        """As `Feed.tell` up to the end of the warm-up; then what came of the engine's pages."""
        if start <= self.warm:
            super().tell(before, start)
            return
        first, last = self.timeline.known(before)[1], self.timeline.known(start)[1]
        outside: list[Event] = []
        for place, event in enumerate(self.timeline.events[first:last], start=first):
            if event.search is None:
                # By its id it is counted once, also where an interrupted replay told it already.
                outside.append(replace(event, id=event.id or f"replay-{place}"))
                continue
            page = self._pages.get(event.search)
            known = event.action in self.engine.config.rewards
            if page is not None and known and event.document in page.documents:
                # Its position in the log is that of another page.
                self.engine.feedback(page.impression, events=[replace(event, position=None)])
        self.engine.record(events=outside)

    def serve(self, start: int, end: int) -> None:
        """Answer the searches of a step, as far as that was not done before an interruption."""
        for place in range(max(start, self._next), end if start >= self.warm else start):
            search = self.timeline.searches[place]
            made = self.engine.search(search.query, query_of(search).context, self.k)
            self._keep(search.id, made.impression_id, tuple(hit.id for hit in made.hits))
            self._next = place + 1

    def _keep(self, search: str, impression: str, shown: tuple[str, ...]) -> None:
        if search in self._followed:
            self._pages[search] = _Page(impression, frozenset(shown))
