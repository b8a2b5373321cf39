"""What listeners mean by a query, and the benchmark of pages that serve it, small."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo import ambiguity
from demo.ambiguity import measured, report, table
from demo.listeners import Wish
from demo.meant import SEEN, Meant, heard, meant_by
from engine import Document, EngineConfig, SearchEngine
from tests.conftest import WordHashes, songs

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def wish(intent: str, text: str, item: str) -> Wish:
    return Wish(intent, "listener0", text, item, NOW)


def several() -> list[Wish]:
    return [
        *[wish("known", "love", "t0-0")] * 10,
        *[wish("known", "love", "t1-0")] * 8,
        *[wish("known", "love", "t2-0")],  # 1 in 23 is too few
        *[wish("topic", "love", "t4-2")] * 4,
        *[wish("known", "river", "t0-1")] * 40,
        *[wish("artist", "few", f"a{i % 2}") for i in range(SEEN - 1)],
    ]


def test_interpretations_by_hand() -> None:
    meant = meant_by(songs(), several())
    assert list(meant.queries) == ["love"]
    of = meant.queries["love"]
    artists = [next(iter(d.values("artist"))) for d in songs() if d.id in ("t0-0", "t1-0")]
    assert of == {
        ("track", artists[0]): 10 / 23, ("track", artists[1]): 8 / 23, ("kind", "jazz"): 4 / 23
    }  # fmt: skip
    assert meant.items["track", artists[0]] == {"t0-0", "t0-1", "t0-2", "t0-3"}
    assert meant.served("love", ["t0-3", "t7-0"]) == pytest.approx(2 / 3)
    assert meant.served("love", ["a0", "t2-0"]) == 0.0


def test_pyndeval_agrees_with_the_count_by_hand() -> None:
    meant = meant_by(songs(), several())
    for page in (["t0-3", "t7-0"], ["t2-0"], ["a0", "t1-1", "t0-0", "t4-2"]):
        found = measured(meant, {"love": page})
        assert found["intent_recall@10"][0] == pytest.approx(meant.served("love", page))
        assert 0 <= found["alpha_nDCG@10"][0] <= 1
    repeated, varied = (measured(meant, {"love": p}) for p in (["t0-0", "t0-1"], ["t0-0", "t1-1"]))
    assert repeated["alpha_nDCG@10"][0] < varied["alpha_nDCG@10"][0]


def test_what_is_heard_repeats() -> None:
    documents = [*songs(), Document("p0", "Rock", "", "playlist", {"genre": ["rock"]})]
    assert heard(documents, 3, 40) == heard(documents, 3, 40)
    assert {one.intent for one in heard(documents, 3, 40)} > {"again"}


@pytest.fixture
def small() -> Iterator[tuple[SearchEngine, Meant]]:
    config = EngineConfig(budget=20.0, ranker_options={"n_estimators": 10})
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
        yield engine, meant_by(songs(), several())


def test_the_report_compares_every_method(small: tuple[SearchEngine, Meant]) -> None:
    engine, meant = small
    told = report(engine, meant, several()[-20:], NOW)
    assert list(told["methods"]) == ["off", "mmr", "xquad", "pm2"]
    plain = told["methods"]["off"]
    assert (plain["closed"], plain["change"]) == (0.0, 0.0)
    # Without a learnt ranker nothing is diversified.
    assert told["methods"]["xquad"] == plain
    assert table(told).row_count == 4


def test_the_command_keeps_its_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ambiguity, "catalogue", songs)
    monkeypatch.setattr(ambiguity, "HEARD", 1_000)
    monkeypatch.setattr(ambiguity, "OTHERS", 30)
    folder = tmp_path / "index"
    config = EngineConfig(budget=20.0, generators=("bm25", "memory"))
    with SearchEngine.build(songs(), folder=folder, config=config) as engine:
        engine.search("love")
    arguments = ["ambiguity", "--out", str(tmp_path / "out"), "--index", str(folder)]
    monkeypatch.setattr("sys.argv", arguments)
    ambiguity.main()
    assert "ambiguous queries" in capsys.readouterr().out
    assert (tmp_path / "out" / "report.json").is_file()
