"""The engine: search, feedback, learn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tqdm import tqdm

from engine.answering import Answer, answer, generator_of, on_the_hour
from engine.building import added, build_state, removed
from engine.checks import check_context, check_k, check_query
from engine.chunks import Chunk
from engine.config import EngineConfig
from engine.errors import BadDocuments, SnapshotError
from engine.explaining import Missing, why_missing
from engine.feedback import checked_feedback, checked_history
from engine.folder import Folder
from engine.formats import read_documents
from engine.learning import learn
from engine.log import Log
from engine.parts import with_encoder
from engine.response import Event, LearnReport, LoggedSearch, Response
from engine.showing import shown
from engine.snapshots import read_snapshot, write_snapshot
from engine.state import State
from retrievers.base import Context, Document, Query
from retrievers.blas import single_threaded
from retrievers.encoder import Encoder


class SearchEngine:
    """Searches a catalogue, logs what it showed, and learns from what people did with it.

    Made by `build` or `load`. `search` and `feedback` may be called from many threads, also while
    `learn`, `add` or `remove` runs in another: a search sees the state before or after, never half.
    Use it as a context manager, or `close` it.
    """

    def __init__(self, state: State, config: EngineConfig, folder: Folder) -> None:
        self._state = state
        self.config = config
        self._folder = folder
        self._log = Log(folder.log, config.durability)
        self._writing = threading.Lock()

    @classmethod
    def build(
        cls,
        documents: Iterable[Document] | Path | str,
        *,
        folder: Path | str | None = None,
        config: EngineConfig | None = None,
        encoder: Encoder | str | None = None,
        embeddings: Path | str | None = None,
        progress: bool = False,
    ) -> Self:
        """Index documents, or a BEIR corpus file (.gz too).

        `folder`: where index and log live; it must not hold an index yet. None: a private temporary
        folder until `save`. `encoder`: the dense generator's model, a sentence-transformers name
        or folder, or any object with `encode`; None: the embedded MiniLM. `embeddings`: a folder
        that keeps embeddings by the content of their texts, so that building again is quick.
        """
        config = config or EngineConfig()
        if isinstance(encoder, str):
            config, encoder = with_encoder(config, encoder), None
        if folder is not None and (Path(folder) / "CURRENT").exists():
            raise BadDocuments(
                f"folder: {folder} holds an index already; load it, or build into another folder"
            )
        source = read_documents(Path(documents)) if isinstance(documents, Path | str) else documents
        place = Folder(None if folder is None else Path(folder))
        try:
            state = build_state(
                source, config, encoder, None if embeddings is None else Path(embeddings), progress
            )
            if not place.temporary:
                write_snapshot(place.path, state, config)
            return cls(state, config, place)
        except BaseException:
            place.close()
            raise

    @classmethod
    def load(
        cls,
        folder: Path | str,
        *,
        encoder: Encoder | str | None = None,
        clock: Callable[[], float] | None = None,
    ) -> Self:
        """Open what `build` or `save` left in a folder."""
        path = Path(folder)
        if not path.is_dir():
            raise SnapshotError(f"{path}: no such folder; make an index with `ltrr index`")
        place = Folder(path)
        try:
            state, config = read_snapshot(path, encoder)
            return cls(state, replace(config, clock=clock) if clock else config, place)
        except BaseException:
            place.close()
            raise

    def search(
        self, query: str, context: Context | None = None, k: int = 10, *, explain: bool = False
    ) -> Response:
        """Answer a query and log the impression; learns nothing.

        The first 10 of k=50 are the answer to k=10. An empty query gives popular items. With
        `explain`, `Response.explanation` tells the plan and each feature's part in each score.
        """
        text = check_query(query, self.config)
        k = check_k(k, self.config)
        given = check_context(Context() if context is None else context)
        state, now = self._state, self.config.clock()
        made = self._answer(state, text, given, now)
        return shown(state, self.config, self._log, made, given, now, k, explain)

    def _answer(self, state: State, text: str, given: Context, now: float) -> Answer:
        time = on_the_hour(now) if given.time is None else given.time
        query = Query(text=text, context=replace(given, time=time), typed=text)
        rng = generator_of(self.config.seed, state.version, text, given)
        return answer(state, self.config, query, rng)

    def why_missing(
        self, query: str, item: str, context: Context | None = None, k: int = 10
    ) -> Missing:
        """Why an item is not among the first k: unknown, filtered, found by no generator, cut by the
        depth its generators were asked for, or ranked below. Logs nothing."""
        text = check_query(query, self.config)
        given = check_context(Context() if context is None else context)
        state = self._state
        made = self._answer(state, text, given, self.config.clock())
        return why_missing(state, made, item, check_k(k, self.config))

    def feedback(
        self, impression_id: str, *, clicks: Sequence[str] = (), events: Sequence[Event] = ()
    ) -> None:
        """Record what was done with items of an answered search; learns nothing.

        Durable once it returns. All or nothing: one bad entry and none is recorded.
        """
        now = self.config.clock()
        self._log.add_events(
            checked_feedback(self._log, self.config, impression_id, clicks, events, now)
        )

    def record(
        self, searches: Iterable[LoggedSearch] = (), events: Iterable[Event] = ()
    ) -> tuple[int, int]:
        """Import history from elsewhere; learns nothing. How many (searches, events) were new.

        Events may name a recorded search, or none: then they are the user's history. All or nothing.
        """
        return self._log.add_history(
            *checked_history(self._log, self._state.catalog, searches, events)
        )

    def learn(self, *, progress: bool = False) -> LearnReport:
        """Learn from every record since the last time: memory, personal, popular, bandit, position
        bias, ranker. Searches go on meanwhile on the old state; the new one takes over at the end and
        is saved where the engine has a folder."""

        def bar(chunks: Iterable[Chunk]) -> Iterable[Chunk]:
            shown: Iterable[Chunk] = tqdm(chunks, desc="learning", unit=" chunks")
            return shown

        # Many small products: BLAS threads would wait for each other longer than they work.
        with self._writing, single_threaded():
            state, report = learn(self._state, self._log, self.config, bar if progress else None)
            self._swap(state)
            return report

    def add(self, documents: Iterable[Document]) -> None:
        """Add documents; they are found at once. All or nothing."""
        with self._writing:
            given = list(documents)
            if given:
                self._swap(added(self._state, given))

    def remove(self, ids: Iterable[str]) -> None:
        """Remove documents; they are gone at once. All or nothing."""
        with self._writing:
            self._swap(removed(self._state, list(ids)))

    def _swap(self, state: State) -> None:
        if not self._folder.temporary:
            write_snapshot(self._folder.path, state, self.config)
        self._state = state

    def save(self, folder: Path | str | None = None) -> None:
        """Write index and log into a folder, by default the engine's own.

        Into another folder: a complete copy, log included; this engine goes on where it was.
        """
        path = self._folder.path if folder is None else Path(folder)
        if path.resolve() == self._folder.path.resolve():
            with self._writing:
                write_snapshot(path, self._state, self.config)
            return
        with self._writing, Folder(path) as other:
            if (path / "CURRENT").exists():
                raise SnapshotError(
                    f"{path}: holds another index already; save into an empty folder"
                )
            self._log.copy_to(other.log)
            write_snapshot(path, self._state, self.config)

    def document(self, id: str) -> Document | None:
        """A document by its id, None where there is none."""
        row = self._state.catalog.row(id)
        return None if row is None else self._state.catalog[row]

    def __len__(self) -> int:
        return len(self._state.catalog)

    @property
    def state(self) -> State:
        """What the engine searches with now; never changed in place."""
        return self._state

    @property
    def log(self) -> Log:
        """The log of searches and events."""
        return self._log

    def close(self) -> None:
        """Close the log and give the folder back; closing twice is allowed."""
        self._log.close()
        self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
