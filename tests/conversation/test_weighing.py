from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.rewrite_tokens import keys
from conversation.weighing import LEAST, MOST, weigh

WORDS = st.lists(st.sampled_from(["play", "it", "blue", "river", "by", "ana"]), max_size=6)


def test_a_longer_rewrite_wins_whose_words_are_likely_right() -> None:
    found = [(0.4, "play blue"), (0.35, "play blue river"), (0.25, "play blue river by ana")]
    best = weigh("play it", found)
    assert best is not None
    assert best.text == "play blue river"
    # "blue" is in all of them, "river" in two
    assert best.brings == pytest.approx(1 + 0.6)


def test_words_that_are_probably_wrong_are_not_added() -> None:
    found = [(0.6, "play blue"), (0.4, "play blue river by ana")]
    best = weigh("play it", found)
    assert best is not None
    assert best.text == "play blue"


def test_what_changes_no_word_is_no_rewrite() -> None:
    assert weigh("Play it .", [(0.9, "play it"), (0.1, "")]) is None
    assert weigh("Play it .", []) is None


@given(WORDS, st.lists(st.tuples(st.floats(0.01, 1), WORDS), max_size=6))
def test_the_best_is_one_of_those_found_and_brings_no_more_than_it_adds(
    query: list[str], found: list[tuple[float, list[str]]]
) -> None:
    texts = [(chance, " ".join(words)) for chance, words in found]
    best = weigh(" ".join(query), texts)
    if best is None:
        assert all(not text or keys(text) == query for _, text in texts)
        return
    assert best.text in [text for _, text in texts]
    assert 0 <= best.brings <= len(keys(best.text)) + 1e-9
    assert math.log(LEAST) <= best.log_odds <= math.log(MOST)
