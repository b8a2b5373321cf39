"""The engine: search, feedback, learn."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from engine.apart import Apart
from engine.checks import check_impression
from engine.config import EngineConfig
from engine.conversing import Conversation
from engine.errors import BadInput
from engine.explaining import Missing, why_not
from engine.feedback import checked_feedback, checked_history
from engine.folder import Folder
from engine.in_force import InForce
from engine.interleaved import Interleaved, outcomes
from engine.learning import learn
from engine.log import Log
from engine.memory import memory_of
from engine.opening import made, opened
from engine.promotion import Promotion, promote, waiting_challenger
from engine.response import Event, LearnReport, LoggedSearch, Priced, Response
from engine.showing import checked, logged, new_impression, searched
from engine.snapshots import ready
from engine.staging import free_version
from engine.state import State
from retrievers.base import Context, Document
from retrievers.blas import single_threaded
from retrievers.encoder import Encoder


class SearchEngine:
    """Searches a catalogue, logs what it showed, and learns from what people did with it.

    Made by `build` or `load`. `search` and `feedback` may be called from many threads, also while
    `learn`, `add` or `remove` runs in another: a search sees the state before or after, never half.
    Use it as a context manager, or `close` it.
    """

    def __init__(self, state: State, config: EngineConfig, folder: Folder) -> None:
        self.config = config
        self._folder = folder
        try:
            self._log = Log(folder.log, config.durability)
        except BaseException:
            folder.close()
            raise
        self._in_force = InForce(state, config, folder)
        self._apart = Apart()

    @classmethod
    def build(
        cls,
        documents: Iterable[Document] | Path | str,
        *,
        folder: Path | str | None = None,
        config: EngineConfig | None = None,
        encoder: Encoder | str | None = None,
        embeddings: Path | str | None = None,
        conversation: Conversation | Path | str | None = None,
        progress: bool = False,
    ) -> Self:
        """Index documents, or a BEIR corpus file (.gz too).

        `folder`: where index and log live; it must not hold an index yet. None: a private temporary
        folder until `save`. `encoder`: the dense generator's model, a sentence-transformers name
        or folder, or any object with `encode`; None: the embedded MiniLM. `embeddings`: a folder
        that keeps embeddings by the content of their texts, so that building again is quick.
        `conversation`: what `ltrr train-conversation` made, to understand queries within one.
        """
        return cls(
            *made(documents, folder, config, encoder, embeddings, conversation, progress=progress)
        )

    @classmethod
    def load(
        cls,
        folder: Path | str,
        *,
        encoder: Encoder | str | None = None,
        clock: Callable[[], float] | None = None,
    ) -> Self:
        """Open what `build` or `save` left in a folder."""
        state, config, place = opened(Path(folder), encoder)
        return cls(state, replace(config, clock=clock) if clock else config, place)

    def search(
        self,
        query: str,
        context: Context | None = None,
        k: int = 10,
        *,
        explain: bool = False,
        impression_id: str | None = None,
    ) -> Response:
        """Answer a query and log the impression; learns nothing.

        The first 10 of k=50 are the answer to k=10. An empty query gives popular items. With
        `explain`, `Response.explanation` tells the plan and each feature's part in each score.
        `impression_id`: what to log it under, never used before; None: 128 random bits.
        """
        id = new_impression() if impression_id is None else check_impression(impression_id)
        asked = checked(query, context, k, self.config, explain)
        return logged(self._in_force.serving, self.config, self._log, [(asked, id)])[0]

    def search_many(
        self, searches: Sequence[tuple[str, Context | None]], k: int = 10, *, threads: int = 1
    ) -> list[Response]:
        """Answer many queries in their contexts as `search` would, all by one state.

        They are logged in one transaction at the end: all or nothing, and one that cannot be searched
        is refused before any is.
        """
        if threads < 1:
            raise BadInput(f"threads: found {threads}, expected at least 1")
        asked = [
            (checked(query, context, k, self.config), new_impression())
            for query, context in searches
        ]
        return logged(self._in_force.serving, self.config, self._log, asked, threads)

    def preview(
        self, query: str, context: Context | None = None, k: int = 10, *, explain: bool = False
    ) -> Response:
        """What `search` would answer, without logging it, so without an impression that feedback could
        refer to: for what is shown while somebody is typing."""
        asked = checked(query, context, k, self.config, explain)
        return searched(self._in_force.serving, self.config, asked, "").response

    def why_missing(
        self, query: str, item: str, context: Context | None = None, k: int = 10
    ) -> Missing:
        """Why an item is not among the first k: unknown, filtered, found by no generator, cut by the
        depth its generators were asked for, or ranked below. Logs nothing."""
        return why_not(self.state, self.config, item, query, context, k)

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
            *checked_history(self._log, self.state.catalog, searches, events)
        )

    def learn(
        self,
        *,
        stage: bool = False,
        apart: bool = False,
        progress: bool = False,
        beside: Sequence[Priced] = (),
    ) -> LearnReport:
        """Learn from every record since the last time: memory, personal, popular, bandit, position
        bias, ranker. Searches, additions and removals go on meanwhile on the old state; the new one
        takes over at the end and is saved where the engine has a folder.

        With `stage` it is written as a snapshot (`LearnReport.staged`) that takes over by `promote`
        alone. `learn`, `add` or `remove` in between make it outdated. With `apart` a process of its
        own learns, at a low priority, and searches hardly notice (see `engine.apart`).

        `beside`: budgets to price as well, as `LearnReport.beside` of the last time left them; only where no ranker
        is trained, and in this process."""
        if beside and (apart or self.config.ranker_window):
            raise BadInput(
                "learn(beside=…): found an engine that trains a ranker, or apart=True; expected "
                "EngineConfig.ranker_window 0: a ranker learns from what was drawn at one budget"
            )
        if (stage or apart) and self._folder.temporary:
            raise BadInput(
                f"learn({'stage' if stage else 'apart'}=True): found an engine without a folder of its "
                "own, expected build(folder=…): what is learnt passes through the disk"
            )
        # Many small products: BLAS threads would wait for each other longer than they work.
        with self._in_force.long() as (before, base), single_threaded():
            if apart and not stage:
                number, report = self._apart.learn(self._folder.path, base)
                self._in_force.take_up(number)
                return report
            state, report = learn(
                before, self._log, self.config, progress, os.cpu_count() or 1, beside
            )
            state = replace(state, version=free_version(self._folder.path, state.version))
            if stage:
                return replace(report, staged=self._in_force.stage(state, base))
            self._in_force.take_over(state)
            return report

    @property
    def staged(self) -> tuple[int, ...]:
        """Numbers of the staged snapshots that `promote` may put in force, the latest last."""
        return () if self._folder.temporary else ready(self._folder.path)

    def promote(self, snapshot: int | None = None, *, allow: float = 0.0) -> Promotion:
        """Put a staged snapshot (None: the latest) in force if it is surely not worse.

        It is judged on what was served after it had learnt, which it and the state in force have not
        seen. Promoted where the lower bounds of the 95% intervals are at least -`allow`: of the
        gain in reward a search that its plans make and of the gain in nDCG@10 of its ranker, as far
        as these differ. Refused where the log cannot tell. SnapshotError where nothing current waits.
        """
        path, log, config = self._folder.path, self._log, self.config
        with single_threaded():
            return self._in_force.exclusively(
                lambda state: promote(path, state, log, config, snapshot, allow)
            )

    def interleave(self, snapshot: int | None = None) -> int:
        """From now on a staged snapshot (None: the latest) drafts every page of `search` in turns with
        the state in force, until `stop_interleaving` or another state takes over; its number. Both
        answer, so that a search takes the time of two."""
        path = self._folder.path
        return self._in_force.challenge(
            lambda now: waiting_challenger(path, now, snapshot)
        ).snapshot

    def stop_interleaving(self) -> None:
        """Let the state in force answer alone again."""
        self._in_force.stand_alone()

    def interleaved(self) -> tuple[Interleaved, ...]:
        """Who has been liked better on interleaved pages so far, for every two states that shared some."""
        return outcomes(*self._log.interleaved(), self.config.rewards)

    def add(self, documents: Iterable[Document]) -> None:
        """Add documents; they are found at once, and kept once it returns. All or nothing."""
        self._in_force.add(list(documents))

    def remove(self, ids: Iterable[str]) -> None:
        """Remove documents; they are gone at once. All or nothing."""
        self._in_force.remove(list(ids))

    def merge(self) -> None:
        """Make answers those of an engine built of the documents that are left, while searches go on.

        Until then statistics of words and cells of vectors stay as they were, and answers differ a
        little. The engine merges by itself, in the background, when much has changed.
        """
        self._in_force.merge()

    def memory(self) -> Mapping[str, int]:
        """Bytes that each part of the engine takes, what is mapped from files included."""
        return memory_of(self.state, self._log)

    def save(self, folder: Path | str | None = None) -> None:
        """Write index and log into a folder, by default the engine's own. Into another: a complete
        copy, log included; this engine goes on where it was."""
        path = self._folder.path if folder is None else Path(folder)
        if path.resolve() == self._folder.path.resolve():
            self._in_force.save()
            return
        self._in_force.copy_into(path, self._log)

    def document(self, id: str) -> Document | None:
        """A document by its id, None where there is none."""
        return self.state.catalog.find(id)

    def __len__(self) -> int:
        return len(self.state.catalog)

    @property
    def state(self) -> State:
        """What the engine searches with now; never changed in place."""
        return self._in_force.state

    @property
    def log(self) -> Log:
        """The log of searches and events."""
        return self._log

    def close(self) -> None:
        """Close the log and give the folder back; closing twice is allowed."""
        self._apart.stop()
        self._in_force.close()
        self._log.close()
        self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
