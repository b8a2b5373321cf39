"""What was learnt and what still fails, said in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from demo.listening import Observed, Searched
from engine import Document
from engine.hindsight import clicked_ranks

INTENT_NAMES = {
    "known": "a known item",
    "artist": "an artist",
    "topic": "a genre, mood or decade",
    "again": "something played before",
    "new": "something new",
}
REASONS = {
    "nowhere": "no generator has it in its first {full}",
    "cut": "a generator has it, deeper than it was asked for",
    "outranked": "a candidate, ranked below the first ten",
}


def plan_words(names: Sequence[str], searched: Sequence[Searched]) -> str:
    """The mean plan of some searches: "fuzzy 5, personal 3"."""
    means = np.mean([one.depths for one in searched], axis=0)
    order = np.argsort(-means, kind="stable")
    asked = [f"{names[g]} {means[g]:.0f}" for g in order.tolist() if means[g] >= 0.5]
    return ", ".join(asked) or "nothing"


def sentences(
    names: Sequence[str], before: Sequence[Searched], after: Sequence[Searched]
) -> list[str]:
    """A sentence an intent: what is asked now, and what was asked before anything was learnt."""
    told = [f"Before learning it asked, whatever the search: {plan_words(names, before)}."]
    for intent, name in INTENT_NAMES.items():
        now = [one for one in after if one.wish.intent == intent]
        if not now:
            continue
        means = np.mean([one.depths for one in now], axis=0)
        silent = [names[g] for g in range(len(names)) if means[g] < 0.5]
        rest = f"; hardly ever {' or '.join(silent)}" if silent else ""
        drawn = np.mean([one.candidates for one in now])
        told.append(f"For {name} it asks {plan_words(names, now)} ({drawn:.0f} candidates){rest}.")
    return told


def reason(one: Observed) -> str:
    """Why the wanted item is not on the page: a key of `REASONS`."""
    ranks = clicked_ranks(one.asked.hits, one.asked.wanted)
    found = ranks[ranks >= 0]
    if not found.size:
        return "nowhere"
    drawn = (ranks >= 0) & (ranks < one.searched.depths)
    return "outranked" if drawn.any() else "cut"


def failures(observed: Sequence[Observed]) -> dict[str, dict[str, int]]:
    """{intent: {reason: searches}}, of searches that did not bring what was wanted."""
    counted: dict[str, dict[str, int]] = {}
    for one in observed:
        if not one.searched.place:
            of = counted.setdefault(one.searched.wish.intent, dict.fromkeys(REASONS, 0))
            of[reason(one)] += 1
    return counted


def examples(observed: Sequence[Observed], documents: dict[str, Document]) -> list[str]:
    """One failed search a reason, the first of each, with where the generators have the item."""
    told: dict[str, str] = {}
    for one in observed:
        if one.searched.place or (why := reason(one)) in told:
            continue
        wish, names = one.searched.wish, list(one.state.retrievers)
        ranks = clicked_ranks(one.asked.hits, one.asked.wanted)[:1].ravel().tolist()
        at = [
            f"{name} has it at rank {rank + 1} and was asked for {depth}"
            for name, rank, depth in zip(names, ranks, one.searched.depths.tolist(), strict=False)
            if rank >= 0
        ]
        document = documents[wish.item]
        title = " – ".join([document.title, *document.values("artist")[:1]])
        told[why] = f"“{wish.text}” meant {title} ({document.type}): " + (
            "; ".join(at) if at else REASONS["nowhere"].format(full=int(one.state.ladder[-1]))
        )
    return [told[why] for why in REASONS if why in told]
