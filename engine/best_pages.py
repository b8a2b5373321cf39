"""What a page would show if every generator were asked in full: what a plan has to bring together.

Clicks tell only of what was shown. What generators bring that nobody saw, and what of it others bring as
well, the ranker tells: the ten documents that it would put first, each as probably wanted as a softmax of
their sharpened scores says (the top-one probability of ListNet, Cao et al. 2007). What would not come onto the page
is worth nothing to a plan, however deep it is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from bandit.base import Choice
from engine.answering import assemble
from engine.hindsight import clicked_ranks, shared_rewards
from engine.pricing import Sampled
from engine.state import State
from engine.threads import each

PAGES: Final = 100
"""How many searches of a sample are ranked in full."""
PLACES: Final = 10
"""Documents of a page."""
SHARPNESS: Final = 2.0
"""By what factor differences of LambdaMART's scores are differences of log odds: 2.1 to 2.6 by maximum likelihood in
four runs of the demo."""


def with_pages(state: State, sample: Sequence[Sampled], threads: int = 1) -> list[Sampled]:
    """A sample with the best `page` of some of its searches, evenly spread; of none without a ranker or
    where plans do not heed them."""
    answered = [i for i, one in enumerate(sample) if any(map(len, one.hits))]
    if state.ranker is None or not state.policy.heeds or not answered:
        return list(sample)
    s = len(state.retrievers)
    unknown = np.full(s, np.nan)
    choice = Choice(np.full(s, state.ladder[-1], np.int32), 1.0, np.ones(s), unknown, unknown)

    def ranked(i: int) -> Sampled:
        one = sample[i]
        made = assemble(state, one.query, one.facts, choice, one.hits)
        first = made.order[:PLACES]
        lead = made.scores[first].astype(np.float64) - made.scores[first[0]]
        odds = np.exp(SHARPNESS * lead)
        ranks = clicked_ranks(one.hits, made.candidates.docs[first])
        return replace(one, page=shared_rewards(ranks, odds / odds.sum(), state.ladder))

    chosen = np.unique(np.linspace(0, len(answered) - 1, PAGES).astype(int)).tolist()
    places = [answered[i] for i in chosen]
    known = dict(zip(places, each(ranked, places, threads), strict=True))
    return [known.get(i, one) for i, one in enumerate(sample)]
