"""The generated catalogue of the latency benchmark: the same bytes every time, and the shapes asked."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import latency
from benchmarks.charts import chart
from benchmarks.check import RATIOS, SHARES, worse
from benchmarks.generated import GENRES, TYPES, Generated
from benchmarks.latency_stages import nearest, shared
from retrievers import minilm
from retrievers.analysis import words


@pytest.fixture(scope="module")
def data() -> Generated:
    pytest.importorskip(minilm.PACKAGE, reason="needs the extra `minilm`")
    return Generated(400)


def test_the_same_numbers_give_the_same_documents(data: Generated) -> None:
    documents = list(data.documents())
    assert len({document.id for document in documents}) == data.n
    assert list(Generated(400).documents(90, 110)) == documents[90:110]
    assert list(Generated(400, seed=1).documents(0, 5)) != documents[:5]
    for document in documents:
        assert document.type in TYPES
        assert document.values("genre")[0] in GENRES
        said = f"{document.title} {document.text} {document.values('artist')[0]}"
        assert 6 <= len(words(said)) <= 18


def test_the_log_is_as_large_as_asked_and_names_what_there_is(data: Generated) -> None:
    searches, events = data.log(1000)
    told = list(events)
    assert (len(searches), len(told)) == (20, 1000)
    known = {search.id for search in searches}
    assert {event.search for event in told} - {None} == known
    assert {event.document for event in told} <= {f"d{row}" for row in range(data.n)}
    again, _ = data.log(1000)
    assert again == searches
    assert not known & {search.id for search in data.log(1000, stream=1)[0]}


def test_queries_are_for_their_rows(data: Generated) -> None:
    asked = data.asked(200, stream=3)
    assert asked == data.asked(200, stream=3)
    documents = list(data.documents())
    words_of = [
        set(words(f"{d.title} {d.values('artist')[0]} {d.values('genre')[0]}")) for d in documents
    ]
    exact = [set(words(one.text)) <= words_of[one.row] for one in asked]
    assert np.mean(exact) > 0.7  # all but those with a typing error


def test_nearest_is_the_true_nearest() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 8)).astype(np.float16)
    queries = rng.normal(size=(4, 8)).astype(np.float32)
    expected = np.argsort(-(queries @ vectors.T.astype(np.float32)), axis=1)[:, :10]
    found = nearest(vectors, queries, 10)
    assert shared(found, expected) == 1.0


def test_only_what_became_worse_is_told() -> None:
    baseline = dict.fromkeys(RATIOS, 1.0) | dict.fromkeys(SHARES, 0.98)
    assert worse(baseline, baseline) == []
    found = baseline | {RATIOS[0]: 1.6, RATIOS[1]: 0.2, SHARES[0]: 0.96, SHARES[1]: 1.0}
    lines = worse(found, baseline)
    assert [line.split(":")[0] for line in lines] == [RATIOS[0], SHARES[0]]
    assert worse(baseline | {RATIOS[0]: float("nan")}, baseline)


def test_the_table_says_what_is_missed() -> None:
    found = {
        "documents": 10,
        "events": 10,
        "search_p50_ms": 7.0,
        "load_s": 1.0,
        "parts_ms": {"log": 1.0},
    }
    lines = latency.table(found).splitlines()
    assert lines[1].startswith("documents")
    assert next(line for line in lines if line.startswith("search_p50_ms")).endswith("NO")
    assert next(line for line in lines if line.startswith("load_s")).endswith("yes")
    assert chart({"p50": [(4.0, 1.0)]}, "x", "y", lines=True).startswith("<svg")
