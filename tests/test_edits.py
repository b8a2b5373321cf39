"""Edit distances: the values of RapidFuzz, for any text."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from retrievers.edits import LONGEST, letters, similarities

few = st.text("abé日 ", max_size=9)
any_text = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20)
spellings = st.lists(few | any_text, max_size=6)


@given(
    st.lists(few | any_text, min_size=1, max_size=3), spellings, st.sampled_from([0.0, 0.5, 0.8])
)
def test_similarities_are_those_of_rapidfuzz(
    typed: list[str], spelt: list[str], cutoff: float
) -> None:
    found = similarities(typed, *letters("".join(f"{word}\n" for word in spelt)), cutoff)
    expected = [
        [OSA.normalized_similarity(t, s, score_cutoff=cutoff) for s in spelt] for t in typed
    ]
    np.testing.assert_array_equal(found, np.array(expected, np.float32).reshape(len(typed), -1))


@given(few.filter(bool), spellings)
def test_heads_are_as_long_as_what_was_typed(typed: str, spelt: list[str]) -> None:
    found = similarities([typed], *letters("".join(f"{w}\n" for w in spelt)), 0.5, heads=True)
    short = [word[: len(typed)] for word in spelt]
    expected = [OSA.normalized_similarity(typed, word, score_cutoff=0.5) for word in short]
    np.testing.assert_array_equal(found[0], np.array(expected, np.float32))


def test_long_words_are_compared_too() -> None:
    spelt = ["a" * 70, "a" * LONGEST, "b", ""]
    codes, ends = letters("".join(f"{word}\n" for word in spelt))
    for size in (LONGEST - 1, LONGEST, LONGEST + 1, 80):
        typed = "a" * (size - 1) + "b"
        for heads in (False, True):
            found = similarities([typed], codes, ends, 0.3, heads=heads)[0]
            shown = [word[:size] for word in spelt] if heads else spelt
            expected = [OSA.normalized_similarity(typed, s, score_cutoff=0.3) for s in shown]
            np.testing.assert_array_equal(found, np.array(expected, np.float32))
