"""What `learn` keeps of each generator's past, so that a plan can be chosen before any has run."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.hindsight import TYPES, Answers
from engine.means import Means
from engine.tallies import Tallies

Floats = NDArray[np.float64]

ACTION_FEATURES = (
    *("found_overall", "found_kind", "found_user", "found_query"),
    *("fill", "gap", "type_focus"),
)
COLD_FOUND = 0.3
"""What a generator asked in full is taken to find of a click before anything is known of it."""
COLD_SHARED = 0.2
"""Share of the shallower rung that two generators are taken to share before it is known."""

MOST_GROWN = 3.0
"""By what factor a result count that is known may exceed the one expected, as far as what it shares
with others goes."""

PAGES_HALVED = 1000
"""Pages after which one counts half: rankers and generators learn."""


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One search looked back on, or later clicks of one (`late`).

    `clicks`: the weight of its clicks; `found` (s, L): the part of it that each rung brings; `both`
    (s, L, s, L): the part that both of two rungs bring, None where there is none.
    """

    kind: str
    user: str | None
    query: str
    clicks: float
    found: Floats
    both: Floats | None = None
    late: bool = False


class PlanStatistics:
    """Per generator and rung: successes, result counts, score gaps, types returned, overlaps.

    For all searches, kinds of query, users and normalised queries. What changes is replaced, so that
    a `copy.copy` stays as it is.
    """

    def __init__(self, s: int, ladder: Sequence[int]) -> None:
        self.ladder = np.asarray(ladder, np.int32)
        rungs = self.ladder.size
        self._shape = (s, rungs)
        self.overall, self.kinds = Tallies(s, rungs), Tallies(s, rungs)
        self.users, self.queries = Tallies(s, rungs), Tallies(s, rungs)
        pairs = (s, rungs, s, rungs)
        self._answered = Means({"sizes": (s,), "gaps": (s,), "shared": pairs, "types": (s, TYPES)})
        self._clicked, self._promised = Means({"both": pairs}), Means({"both": pairs})
        rise = 1.0 - np.exp(-self.ladder / 20.0)
        self._cold_found = np.tile(COLD_FOUND * rise / rise[-1], (s, 1))
        shallower = np.minimum(self.ladder[:, None], self.ladder).astype(np.float64)
        same = np.eye(s)[:, None, :, None]
        self._cold_shared = shallower[None, :, None, :] * (same + (1.0 - same) * COLD_SHARED)
        self._kept: dict[tuple[str, str], Floats] = {}

    def observe(self, batch: Sequence[Observation]) -> None:
        """Add searches looked back on."""
        if not batch:
            return
        self._kept = {}
        clicks = np.array([o.clicks for o in batch])
        found = np.stack([o.found for o in batch])
        known = np.array([o.user is not None for o in batch])
        new = np.array([0.0 if o.late else 1.0 for o in batch])
        users = [o.user for o in batch if o.user is not None]
        for name, keys, of in (
            ("overall", [""] * len(batch), slice(None)),
            ("kinds", [o.kind for o in batch], slice(None)),
            ("queries", [o.query for o in batch], slice(None)),
            ("users", users, known),
        ):
            group = copy.copy(getattr(self, name))
            group.add(keys, new[of], clicks[of], found[of])
            setattr(self, name, group)
        self._clicked = copy.copy(self._clicked)
        self._clicked.add((o.kind, o.clicks, {"both": o.both}) for o in batch if o.both is not None)

    def look_at(self, answered: Iterable[tuple[str, Answers]]) -> None:
        """Add what the generators returned to queries, each with its kind."""
        self._kept = {}
        self._answered = copy.copy(self._answered)
        self._answered.add(
            (
                kind,
                1.0,
                {
                    "sizes": answers.sizes,
                    "gaps": answers.gaps,
                    "shared": answers.shared,
                    "types": answers.types,
                },
            )
            for kind, answers in answered
        )

    def look_at_pages(self, pages: Sequence[tuple[str, Floats]]) -> None:
        """Add what both of two rungs bring of pages (s, L, s, L), each with its kind."""
        if pages:
            self._kept = {}
            self._promised = copy.copy(self._promised)
            kept = 0.5 ** (len(pages) / PAGES_HALVED)
            self._promised.add(((kind, 1.0, {"both": both}) for kind, both in pages), kept)

    def overlap(self, kind: str, at_most: Floats | None = None) -> Floats:
        """Shape (s, L, s, L): documents expected in common, the diagonal being result counts.

        `at_most` (s,): what each generator can return to this query, inf where it is not known. Where
        it is known it replaces the count expected of the kind, and what is shared grows or shrinks
        with the geometric mean of both generators' counts.
        """
        shared = self._of_kind(
            "overlap", kind, lambda: self._answered.mean("shared", kind, self._cold_shared)
        )
        known = np.flatnonzero(np.isfinite(at_most)) if at_most is not None else np.empty(0, int)
        if at_most is None or not known.size:
            return shared
        expected = np.einsum("ilil->il", shared)
        counts = expected.copy()
        counts[known] = np.minimum(at_most[known, None], self.ladder)
        grown = np.sqrt(np.clip(counts / np.maximum(expected, 1e-9), 0.0, MOST_GROWN))
        told: Floats = shared * grown[:, :, None, None] * grown
        for g in known.tolist():
            told[g, :, g, :] = np.minimum(counts[g][:, None], counts[g])
        return told

    def successes(self, kind: str) -> Floats:
        """Shape (s, L, s, L): share of the wanted items expected to be brought by both of two rungs, the
        diagonal a rung's own: by the best pages, before there are any by clicks. Before anything is known,
        generators succeed independently."""

        def told() -> Floats:
            overall = self.overall.smoothed("", self._cold_found)
            apart = overall[:, :, None, None] * overall[None, None, :, :]
            each = np.arange(self._shape[0])
            apart[each, :, each, :] = np.minimum(overall[:, :, None], overall[:, None, :])
            return self._promised.mean("both", kind, self._clicked.mean("both", kind, apart))

        return self._of_kind("successes", kind, told)

    def action_features(
        self, kind: str, user: str | None, query: str, overlap: Floats | None = None
    ) -> Floats:
        """Shape (s, L, a), columns as in `ACTION_FEATURES`; what is found is what a rung adds.
        `overlap`: that of the kind, where it is at hand."""
        shared = self.overlap(kind) if overlap is None else overlap
        found = self._of_kind(
            "found",
            kind,
            lambda: self.kinds.smoothed(kind, self.overall.smoothed("", self._cold_found)),
        )
        features = self._of_kind("features", kind, lambda: self._features(kind, found)).copy()
        for column, group, key in ((2, self.users, user), (3, self.queries, query)):
            features[:, 1:, column] = _steps(group.smoothed(key, found))
        features[:, 1:, 4] = _steps(np.einsum("ilil->il", shared)) / _steps(self.ladder[None])
        return features

    def _features(self, kind: str, found: Floats) -> Floats:
        """The columns that are the same for all queries of a kind, which found that much."""
        s, rungs = self._shape
        features = np.zeros((s, rungs, len(ACTION_FEATURES)))
        features[:, 1:, 0] = _steps(self.overall.smoothed("", self._cold_found))
        features[:, 1:, 1] = _steps(found)
        features[:, 1:, 5] = self._answered.mean("gaps", kind, np.zeros(s))[:, None]
        types = self._answered.mean("types", kind, np.zeros((s, TYPES)))
        features[:, 1:, 6] = types.max(axis=1)[:, None]
        return features

    def _of_kind(self, name: str, kind: str, told: Callable[[], Floats]) -> Floats:
        """What `told` tells of a kind, kept until something is observed; not to be written to."""
        known = self._kept.get((name, kind))
        if known is None:
            known = self._kept[name, kind] = told()
        return known

    def _parts(self) -> dict[str, Tallies | Means]:
        return {
            "overall": self.overall,
            "kinds": self.kinds,
            "users": self.users,
            "queries": self.queries,
            "answered": self._answered,
            "clicked": self._clicked,
            "promised": self._promised,
        }

    def save(self, folder: Path) -> None:
        """Write into an existing folder."""
        for name, part in self._parts().items():
            part.save(folder / name)
        about = {"generators": self._shape[0], "ladder": self.ladder.tolist()}
        (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        statistics = cls(about["generators"], about["ladder"])
        for name, part in statistics._parts().items():
            part.restore(folder / name)
        return statistics


def _steps(cumulative: NDArray[Any]) -> NDArray[Any]:
    """What each rung adds (n, L - 1); `np.diff` takes longer than the subtraction."""
    steps: NDArray[Any] = cumulative[:, 1:] - cumulative[:, :-1]
    return steps
