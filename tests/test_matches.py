"""How well given documents have the words of a query, against what a search finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from retrievers.base import Document, Query
from tests.test_bm25 import TITLE, indexed, some_words, titled


@given(
    st.lists(some_words.filter(bool), min_size=1, max_size=12),
    st.lists(some_words.filter(bool), max_size=4),
    some_words,
)
def test_a_match_is_a_share_of_the_best_that_each_word_can_do(
    first: list[list[str]], later: list[list[str]], query: list[str]
) -> None:
    """Against search, which finds the same sums, and the best row of every word on its own."""
    corpus = [*first, *later]
    index = indexed(titled([" ".join(words) for words in first]), weights=TITLE)
    for row, document in enumerate(titled([" ".join(words) for words in later]), len(first)):
        index.add(np.array([row], np.int32), [document])
    rows = np.arange(len(corpus), dtype=np.int32)[::-1]
    match = index.matching(" ".join(query))(rows)
    assert match.dtype == np.float32
    assert ((match >= 0) & (match <= 1 + 1e-5)).all()
    hits = index.retrieve(Query(" ".join(query)), len(corpus))
    most = 0.0
    for word in query:
        alone = index.retrieve(Query(word), len(corpus)).scores
        assume(not alone.size or alone.min() > 0)  # a word of most documents tells nothing
        most += float(alone.max()) if alone.size else 0.0
    expected = np.zeros(len(corpus))
    expected[hits.docs] = hits.scores / most if most else 0.0
    np.testing.assert_allclose(match, expected[rows], rtol=1e-4, atol=1e-6)


def test_a_match_leaves_popularity_out() -> None:
    documents = [Document(str(n), "blue", "", "track", {"popularity": 9 * n}) for n in range(3)]
    documents += [Document("3", "red")] * 4
    index = indexed([replace(d, id=str(i)) for i, d in enumerate(documents)])
    match = index.matching("blue moon")(np.array([0, 2, 5], np.int32))
    assert match[0] == match[1] > match[2] == 0
    assert (index.matching("unheard of")(np.array([0], np.int32)) == 0).all()
