from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from conversation.edit_script import DROP, KEEP, SAY, Step, carried_out, script

WORDS = st.lists(
    st.sampled_from(["play", "it", "again", "the", "song", "by", "them", "and"]), max_size=9
)


@given(query=WORDS, rewrite=WORDS)
def test_the_walk_makes_the_rewrite(query: list[str], rewrite: list[str]) -> None:
    assert carried_out(query, script(query, rewrite)) == rewrite


@given(query=WORDS)
def test_a_query_that_stands_alone_is_kept_word_by_word(query: list[str]) -> None:
    assert script(query, query) == [Step(KEEP)] * len(query)


@given(query=WORDS, rewrite=WORDS)
def test_within_an_edit_drops_come_before_what_is_said(
    query: list[str], rewrite: list[str]
) -> None:
    steps = script(query, rewrite)
    assert not any(a.act == SAY and b.act == DROP for a, b in pairwise(steps))


def test_a_pronoun_gives_way_to_a_name() -> None:
    walk = script(["who", "sang", "it", "first"], ["who", "sang", "blue", "river", "first"])
    assert walk == [
        Step(KEEP), Step(KEEP), Step(DROP), Step(SAY, "blue"), Step(SAY, "river"), Step(KEEP)
    ]  # fmt: skip
