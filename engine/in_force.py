"""The state that searches read: how it changes while they go on, and how it stays on disk.

Documents come and go by a `Change`, which is appended to the `changes` of the snapshot in force and
then seen. Whatever takes long (learning, merging) works on the state it found, writes a snapshot
beside the others, catches up with what was added and removed meanwhile, and takes over.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from engine.building import merged
from engine.changes import Change, ChangeFile
from engine.config import EngineConfig
from engine.errors import SnapshotError
from engine.folder import Folder
from engine.giving_way import giving_way
from engine.interleaving import Challenger
from engine.log import Log
from engine.replaying import addition, changed, replayed
from engine.snapshots import (
    change_file,
    in_force,
    put_in_force,
    read_index,
    read_state,
    stage,
    write_snapshot,
)
from engine.state import State
from retrievers.base import Document, Query, Retriever
from retrievers.dense import Dense
from retrievers.encoder import Encoder

_Result = TypeVar("_Result")

FOLD = 5_000
"""Documents in the changes of a snapshot from which on a new one is written, so that an index is
loaded in seconds."""
MERGE, MERGE_SHARE = 5_000, 0.05
"""Documents added and removed since the last merge, as a number and as a share of all, from which
on, if both are reached, another merge is due."""
VISITS, VISITED = 64, 100
"""Titles that a state is asked for before searches are, and how deep."""
ANEW = 0.5
"""Vectors outside the cells they were trained for, as a share of those inside, from which on a
merge makes the cells anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Serving:
    """What one search reads."""

    state: State
    challenger: Challenger | None = None


class InForce:
    """`serving` is replaced as one. Only `add` and `remove` wait for each other, for a moment; of
    what takes long there is one at a time."""

    def __init__(self, state: State, config: EngineConfig, folder: Folder) -> None:
        self.serving = Serving(state)
        self._config = config
        self._folder = folder
        self._writing = threading.Lock()
        self._long = threading.Lock()
        self._storing = threading.Lock()
        self._since: list[Change] | None = None
        self._changes = self._open_changes()
        self._upkeep: threading.Thread | None = None
        self._closing = False

    def _open_changes(self) -> ChangeFile | None:
        if self._folder.temporary:
            return None
        return change_file(self._folder.path, in_force(self._folder.path))

    @property
    def state(self) -> State:
        """What is searched now."""
        return self.serving.state

    def add(self, documents: Sequence[Document]) -> None:
        """Found from now on. All or nothing."""
        if documents:
            self._change(lambda state: addition(state, documents))

    def remove(self, ids: Sequence[str]) -> None:
        """Gone from now on. All or nothing."""
        if ids:
            self._change(lambda _: Change(removed=tuple(ids)))

    def _change(self, make: Callable[[State], Change]) -> None:
        with self._writing:
            change = make(self.state)
            state = changed(self.state, change)
            if self._changes is not None:
                self._changes.append([change])
            if self._since is not None:
                self._since.append(change)
            self.serving = Serving(state)
            due = self._merge_is_due() or self._fold_is_due()
            if due and self._upkeep is None and not self._closing:
                self._upkeep = threading.Thread(
                    target=self._keep_up, name="ltrr-merge", daemon=True
                )
                self._upkeep.start()

    def _merge_is_due(self) -> bool:
        catalog = self.state.catalog
        return catalog.changes > max(MERGE, MERGE_SHARE * catalog.rows)

    def _fold_is_due(self) -> bool:
        return self._changes is not None and self._changes.size > FOLD

    def _keep_up(self) -> None:
        try:
            while not self._closing and (self._merge_is_due() or self._fold_is_due()):
                if self._merge_is_due():
                    self.merge(anew=_is_outgrown(self.state))
                else:
                    self.save()
        except Exception:
            # Nothing is lost: the changes are on the disk, and the next change tries again.
            logging.getLogger(__name__).exception("a merge in the background failed")
        finally:
            with self._writing:
                self._upkeep = None

    def merge(self, *, anew: bool = True) -> None:
        """Make answers exact (see `merged`), while searches, additions and removals go on."""
        with self.long() as (state, _):
            self.take_over(merged(state, anew=anew))

    def save(self) -> None:
        """Write the state as a snapshot of its own, if it has a folder."""
        with self.long() as (state, _):
            self.take_over(state)

    def copy_into(self, path: Path, log: Log) -> None:
        """Write a complete copy, log included, into another folder, which holds no index."""
        with self.long() as (state, _), Folder(path) as other:
            if (path / "CURRENT").exists():
                raise SnapshotError(
                    f"{path}: holds another index already; save into an empty folder"
                )
            log.copy_to(other.log)
            stored(path, state, self._config)

    @contextmanager
    def long(self) -> Iterator[tuple[State, str]]:
        """What takes long, one after the other: the state to begin with, and by what its snapshot
        and changes are known (see `base_of`)."""
        with self._long:
            with self._writing:
                state, self._since = self.state, []
                base = "" if self._changes is None else self._changes.digest.hex()
            try:
                yield state, base
            finally:
                self._since = None

    def take_over(self, state: State) -> None:
        """Put in force what was made within `long`, with what has changed meanwhile."""
        with self._storing:
            if self._closing:
                return
            if self._folder.temporary:
                with self._writing:
                    self.serving = Serving(replayed(state, self._since or ()))
                return
            here = write_snapshot(self._folder.path, state, self._config)
            self._put(mapped_state(state, here, self._config), int(here.name))

    def take_up(self, number: int) -> None:
        """Put in force, with what has changed meanwhile, a snapshot that another process has written
        within `long`."""
        with self._storing, giving_way():
            if self._closing:
                return
            encoder, own = _encoder(self.state)
            state, _ = read_state(self._folder.path / "snapshots" / str(number), encoder)
            self._put(
                replace(state, retrievers={**state.retrievers, **_held(own, state.retrievers)}),
                number,
            )

    def _put(self, state: State, number: int) -> None:
        _visit(state)
        with self._writing:
            since = self._since or ()
            state = replayed(state, since)
            self._changes = put_in_force(self._folder.path, number, since)
            self.serving = Serving(state)

    def stage(self, state: State, base: str) -> int:
        """Write a state as a snapshot that waits for `promote`; its number."""
        here = write_snapshot(self._folder.path, state, self._config)
        with self._writing:
            stage(self._folder.path, int(here.name), state.version, base)
        return int(here.name)

    def exclusively(self, work: Callable[[State], tuple[_Result, State]]) -> _Result:
        """Let `work`, which may put another snapshot in force, choose the state, while nothing
        changes."""
        with self._long, self._writing:
            before = self.state
            result, state = work(before)
            if state is not before:
                self._changes = self._open_changes()
                self.serving = Serving(state)
            return result

    def challenge(self, find: Callable[[State], Challenger]) -> Challenger:
        """Set a challenger of the state in force."""
        with self._writing:
            challenger = find(self.state)
            self.serving = replace(self.serving, challenger=challenger)
            return challenger

    def stand_alone(self) -> None:
        """End a challenge."""
        with self._writing:
            self.serving = replace(self.serving, challenger=None)

    def close(self) -> None:
        """Nothing is written to the folder from now on; a merge that is not done is dropped."""
        self._closing = True
        with self._storing:
            pass


def stored(folder: Path, state: State, config: EngineConfig) -> State:
    """A state as the first snapshot of a folder, which is put in force; see `mapped_state`."""
    here = write_snapshot(folder, state, config)
    put_in_force(folder, int(here.name))
    return mapped_state(state, here, config)


def mapped_state(state: State, snapshot: Path, config: EngineConfig) -> State:
    """The state that a snapshot was written from, its documents and generators mapped from the files."""
    encoder, own = _encoder(state)
    catalog, names, retrievers = read_index(snapshot, config, encoder)
    state = replace(state, catalog=catalog, names=names, filters=state.filters.after(catalog))
    return replace(state, retrievers={**retrievers, **_held(own, retrievers)})


def _encoder(state: State) -> tuple[Encoder | None, dict[str, Dense]]:
    """What encodes queries, and the generators that do."""
    dense = {name: r for name, r in state.retrievers.items() if isinstance(r, Dense)}
    return next((retriever.encoder for retriever in dense.values()), None), dense


def _held(own: Mapping[str, Dense], read: Mapping[str, Retriever]) -> dict[str, Retriever]:
    """Generators read from a snapshot with the encoder of our own and what it keeps of texts encoded
    before, which are not in the snapshot."""
    found = {name: (mine, read[name]) for name, mine in own.items()}
    return {
        name: mine.holding(one) if isinstance(one, Dense) else one
        for name, (mine, one) in found.items()
    }


def _visit(state: State) -> None:
    """Ask every generator for some titles, so that no search is the first to touch new pages."""
    step = max(state.catalog.rows // VISITS, 1)
    for _, document in state.catalog.documents(range(0, state.catalog.rows, step)):
        for retriever in state.retrievers.values():
            with suppress(Exception):  # a search says so where a generator fails
                retriever.retrieve(Query(document.title), VISITED)


def _is_outgrown(state: State) -> bool:
    dense = [r for r in state.retrievers.values() if isinstance(r, Dense)]
    return any(one.outside > ANEW for one in dense)
