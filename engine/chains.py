"""Query chains: what a search was for in which nothing was clicked, as far as the next one tells.

Clicks alone teach from searches that went well. Somebody who clicks on nothing and searches again at once most
often means the same in other words, so what is clicked then is partly credited to the search before
(Radlinski & Joachims 2005, "Query chains: learning to rank from implicit feedback", KDD). That teaches memory what
a misspelt query is for, and the policy how deep it should have drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.chunks import Searched
from engine.log_rows import EventRow

WITHIN = 120.0
"""Seconds up to which the next search of a person is a second try."""
CREDIT = 0.5
"""Share of a click that the search before is given."""


def chained(searches: list[Searched], rewards: Mapping[str, float]) -> list[Searched]:
    """The searches of a chunk, in their order, some with what they are credited as `borrowed`.

    Both must be by the same known person and not learnt before; searches logged with the same time are told
    apart by nothing and are not chained.
    """
    later: dict[str, Searched] = {}
    found: dict[int, Searched] = {}
    for place in sorted(range(len(searches)), key=lambda i: searches[i].search.time, reverse=True):
        one = searches[place]
        user = one.search.user
        if user is None or one.late:
            continue
        liked = [e for e in one.events if rewards.get(e.action, 0.0) * e.weight > 0]
        after = later.get(user)
        if after is not None and not liked:
            since = after.search.time - one.search.time
            if 0.0 < since <= WITHIN:
                found[place] = replace(one, borrowed=_credited(after, rewards))
        later[user] = one
    return [found.get(place, one) for place, one in enumerate(searches)]


def _credited(after: Searched, rewards: Mapping[str, float]) -> list[EventRow]:
    return [
        replace(event, weight=event.weight * CREDIT, position=None)
        for event in after.events
        if rewards.get(event.action, 0.0) * event.weight > 0
    ]
