"""Documents that come and go: found and gone at once, exact after a merge, never lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine import Document, EngineConfig, SearchEngine, building
from engine.snapshots import damaged
from engine.state import State
from retrievers import vectors
from retrievers.base import Query
from tests.conftest import Clock, WordHashes, songs
from tests.engine.test_snapshots import teach

GENERATORS = ("bm25", "fuzzy", "dense", "structured", "memory", "popular")
ASKED = ("love", "silver river", "artista0", "night train artistb1", "jazz", "sogn of artistc2")


def configured(exact_rows: int = 50_000) -> EngineConfig:
    return EngineConfig(
        budget=30.0,
        clock=Clock(),
        generators=GENERATORS,
        generator_options={"dense": {"exact_rows": exact_rows}},
    )


def built(documents: Sequence[Document], config: EngineConfig, folder: Path) -> SearchEngine:
    return SearchEngine.build(documents, folder=folder, config=config, encoder=WordHashes())


def loaded(folder: Path, config: EngineConfig) -> SearchEngine:
    return SearchEngine.load(folder, encoder=WordHashes(), clock=config.clock)


Found = dict[tuple[str, str], tuple[list[str], list[float]]]


def found(state: State, k: int = 300) -> Found:
    """Ids and scores by generator and query."""
    answered: Found = {}
    for name, retriever in state.retrievers.items():
        for text in ASKED:
            hits = retriever.retrieve(Query(text), k)
            ids = [state.catalog.id(row) for row in hits.docs.tolist()]
            answered[name, text] = ids, hits.scores.tolist()
    return answered


def assert_equal(one: Found, other: Found) -> None:
    assert one.keys() == other.keys()
    for key, (ids, scores) in one.items():
        assert ids == other[key][0], key
        np.testing.assert_allclose(scores, other[key][1], rtol=1e-5, atol=1e-6, err_msg=str(key))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 30)),
        st.tuples(st.just("remove"), st.integers(1, 12)),
        st.tuples(st.just("update"), st.integers(1, 5)),
        st.tuples(st.sampled_from(("merge", "save", "reload")), st.just(0)),
    ),
    min_size=2,
    max_size=6,
)


@pytest.mark.parametrize("exact_rows", [50_000, 20])
@settings(max_examples=5, phases=[Phase.generate])
@given(steps=steps, seed=st.integers(0, 99))
def test_whatever_happened_a_merge_equals_a_fresh_build(
    exact_rows: int, steps: list[tuple[str, int]], seed: int
) -> None:
    rng, config, waiting = np.random.default_rng(seed), configured(exact_rows), songs()
    rng.shuffle(waiting)
    there = {document.id: document for document in waiting[:40]}
    del waiting[:40]
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "DELTA_ROWS", 8)
        patch.setattr(building, "PROBES", 2)
        folder = Path(place) / "live"
        engine = built(list(there.values()), config, folder)
        for step, count in steps:
            if step == "add":
                engine.add(waiting[:count])
                there |= {document.id: document for document in waiting[:count]}
                del waiting[:count]
            elif step in ("remove", "update"):
                gone = rng.permutation(list(there))[: min(count, len(there) - 1)].tolist()
                engine.remove(gone)
                again = [there.pop(id) for id in gone]
                if step == "update":
                    engine.add(again)
                    there |= {document.id: document for document in again}
            elif step == "merge":
                engine.merge()
            elif step == "save":
                engine.save()
            else:
                before = found(engine.state)
                engine.close()
                engine = loaded(folder, config)
                assert found(engine.state) == before
            ids = {id for ids, _ in found(engine.state).values() for id in ids}
            assert ids <= there.keys()
            assert len(engine) == len(there)
        engine.merge()
        with engine, built(list(there.values()), config, Path(place) / "fresh") as fresh:
            assert_equal(found(engine.state), found(fresh.state))


def test_a_small_addition_changes_few_of_the_first_hundred(tmp_path: Path) -> None:
    config, everything = configured(), numbered(3000)
    with built(everything[:2900], config, tmp_path / "live") as engine:
        engine.add(everything[2900:])
        live = found(engine.state, 100)
    with built(everything, config, tmp_path / "fresh") as fresh:
        exact = found(fresh.state, 100)
    shares = [
        len(set(ids) & set(live[key][0])) / len(ids) for key, (ids, _) in exact.items() if ids
    ]
    assert np.mean(shares) >= 0.99


def numbered(count: int) -> list[Document]:
    """Songs again and again, with numbers."""
    known = songs()
    return [
        Document(f"{n}-{d.id}", f"{d.title} {n % 97}", d.text, d.type, d.metadata)
        for n in range(count)
        for d in (known[n % len(known)],)
    ]


def test_additions_write_changes_and_no_snapshot(stored: SearchEngine, tmp_path: Path) -> None:
    stored.add([Document("new", "Quetzalcoatl Blues")])
    stored.remove(["t0-0"])
    snapshots = tmp_path / "index" / "snapshots"
    assert [path.name for path in snapshots.iterdir()] == ["1"]
    assert (snapshots / "1" / "changes").stat().st_size > 0
    stored.save()
    assert not (snapshots / "2" / "changes").exists()
    assert stored.document("new") is not None
    assert stored.document("t0-0") is None


def test_embeddings_of_changes_are_not_made_again(stored: SearchEngine, tmp_path: Path) -> None:
    asked: list[str] = []

    class Counting(WordHashes):
        identity = "tests.conftest.WordHashes"

        def encode(self, texts: list[str], /) -> Any:
            asked.extend(texts)
            return super().encode(texts)

    stored.add([Document("new", "Quetzalcoatl Blues")])
    expected = found(stored.state)
    stored.close()
    with SearchEngine.load(tmp_path / "index", encoder=Counting()) as engine:
        assert asked == []
        assert found(engine.state) == expected


def test_a_later_snapshot_shares_what_has_not_changed(
    stored: SearchEngine, clock: Clock, tmp_path: Path
) -> None:
    teach(stored, clock)
    stored.learn()
    one, two = (
        {p.relative_to(folder).as_posix(): p.stat().st_ino for p in folder.rglob("*.*")}
        for folder in (tmp_path / "index" / "snapshots" / n for n in ("1", "2"))
    )
    shared = {name for name in one if one[name] == two.get(name)}
    assert "catalog/documents.jsonl" in shared
    assert "retrievers/bm25/base/impacts.npy" in shared
    assert "retrievers/popular/recent.npy" not in shared
    assert damaged(tmp_path / "index") == []


def test_a_copy_shares_nothing(stored: SearchEngine, tmp_path: Path) -> None:
    stored.save(tmp_path / "copy")
    links = [p.stat().st_nlink for p in (tmp_path / "copy").rglob("*") if p.is_file()]
    assert set(links) == {1}


def test_damage_is_told_of_every_file(stored: SearchEngine, tmp_path: Path) -> None:
    stored.close()
    assert damaged(tmp_path / "index") == []
    here = tmp_path / "index" / "snapshots" / "1" / "catalog"
    (here / "alive.npy").unlink()
    (here / "types.npy").write_bytes((here / "types.npy").read_bytes()[:-1])
    missing, short = damaged(tmp_path / "index")
    assert "alive.npy: missing" in missing
    assert "types.npy: damaged (found" in short


def test_memory_is_told_by_part(stored: SearchEngine) -> None:
    parts = stored.memory()
    assert {"catalog", "names", "log", "retrievers/bm25", "retrievers/dense"} <= parts.keys()
    vectors_take = len(songs()) * WordHashes.dim * 4
    assert vectors_take < parts["retrievers/dense"] < 100 * vectors_take
    lines = sum(len(d.title) + len(d.id) for d in songs())
    assert lines < parts["catalog"] < 1_000_000
    stored.add(numbered(300))
    assert stored.memory()["catalog"] > parts["catalog"]


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from engine import Document, EngineConfig, SearchEngine
from engine import in_force
from tests.conftest import songs
in_force.MERGE = in_force.FOLD = 20
config = EngineConfig(generators=("bm25", "memory", "popular"))
engine = SearchEngine.build(songs(), folder=Path(sys.argv[1]), config=config)
for n in range(10_000):
    engine.add([Document(f"n{n}", f"Quetzalcoatl {n}")])
    print(f"+n{n}", flush=True)
    if n % 3 == 0:
        engine.remove([f"n{n // 2}"] if engine.document(f"n{n // 2}") else [])
        print(f"-n{n // 2}", flush=True)
"""


def test_changes_that_have_returned_survive_kill_9(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "index"), str(root)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(150)]
    os.kill(process.pid, signal.SIGKILL)
    said += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.wait()
    process.stdout.close()
    gone = {line[1:] for line in said if line[0] == "-"}
    added = [line[1:] for line in said if line[0] == "+"]
    with SearchEngine.load(tmp_path / "index") as engine:
        last = len(added)
        # What was under way when the process died may have happened or not.
        unsure = {f"n{last}", f"n{last // 2}", f"n{(last - 1) // 2}"}
        there = {id for id in added if engine.document(id)}
        assert there - unsure == set(added) - gone - unsure
        assert set(added) >= there
        assert engine.search("quetzalcoatl", k=5).hits
