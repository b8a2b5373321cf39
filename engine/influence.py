"""How much one person may teach: so that no one speaks for all, by zeal, by robot or for money.

Three bounds, on what `learn` takes in of a stretch of time (a chunk). Of one person and one item, the
first `REPEATS` deeds of either sign count. Of one person in all, no more than `ZEAL` times what half
of the people stay below, and never less than `FREE`: beyond it each deed counts in proportion. In a
search no deed weighs more than `MOST`. An item can thus rise by how many people want it, not by how
often one does. Nameless deeds are bounded by their search alone, where each counts once an item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retrievers.base import Outcome

REPEATS = 5
ZEAL = 10.0
FREE = 200
MOST = 10.0
OFTEN = 25

Deed = tuple[str, int, bool]
"""Whose, of which row, and whether it was for the item."""


def bounded(outcomes: Sequence[Outcome], before: Mapping[Deed, int]) -> list[Outcome]:
    """The outcomes of a chunk, in order of time, none of more influence than it may have.

    `before`: deeds of the same stretch of time that an earlier `learn` has taken in. What counts no
    more is left out.
    """
    seen = Counter(before)
    kept: list[Outcome] = []
    for outcome in outcomes:
        if outcome.query is not None and abs(outcome.weight) > MOST:
            outcome = replace(outcome, weight=float(np.copysign(MOST, outcome.weight)))
        if outcome.user is None or outcome.weight == 0.0:
            kept.append(outcome)
            continue
        deed = (outcome.user, outcome.doc, outcome.weight > 0.0)
        seen[deed] += 1
        if seen[deed] <= REPEATS:
            kept.append(outcome)
    shares = zealous(outcome.user for outcome in kept)
    return [
        replace(outcome, weight=outcome.weight * shares[outcome.user])
        if outcome.user in shares
        else outcome
        for outcome in kept
    ]


def zealous(users: Iterable[str | None]) -> dict[str, float]:
    """Who of the named did more than they may, and by what each of their deeds is to be multiplied."""
    counts = Counter(user for user in users if user is not None)
    if not counts:
        return {}
    most = max(float(FREE), ZEAL * float(np.median(list(counts.values()))))
    return {user: most / count for user, count in counts.items() if count > most}


def weights_of(users: Sequence[str | None], liked: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Shape (n,): what impressions weigh when a ranker is trained, in (0, 1].

    Less than 1 for those of the zealous, and where one person liked the same item in more than
    `OFTEN` of them. `liked`: the documents liked in each.
    """
    shares = zealous(users)
    often = Counter(
        (user, document)
        for user, documents in zip(users, liked, strict=True)
        if user is not None
        for document in documents
    )
    weights = np.ones(len(users))
    for place, (user, documents) in enumerate(zip(users, liked, strict=True)):
        if user is not None:
            most = max((often[user, document] for document in documents), default=0)
            weights[place] = min(shares.get(user, 1.0), OFTEN / max(most, OFTEN))
    return weights
