"""From replays to `report.json`.

    dataset, searches, warmup_searches, steps, k, seed, profile, budget
    feedback, feedback_note what the systems learnt from, in words
    served                  searches that the engine answered for real, with feedback shown
    generators, ladder
    systems.<name>          ndcg@10, mrr@10, success@1, success@10, candidate_recall, candidates_mean,
                            drawn_mean, ms_p50, ms_p99; each with `<key>_interval` [low, high];
                            plan, where it is always the same
                            against_best_fixed.<measure>: difference, interval, p, p_holm
    marginal_recall.<gen>   share of what was clicked that only this generator finds, with interval
    examination             position bias as the engine knows it in the end, see `positions_told`
    plans.<kind>            searches, depth asked of each generator by the engine, in the mean
    steps_of.<name>         per step: mean of the first measure (the learning curve)
    curves.<name>           with several budgets: budget and the systems' keys, one entry a budget

Intervals are 95%, by resampling users; `p_holm` is corrected over all systems and measures. Times are
what differs from run to run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bootstrap import Bootstrap, Difference, holm
from benchmarks.metrics import measure_names
from benchmarks.positions_told import positions_told
from benchmarks.replay import REFERENCE
from benchmarks.replayed import Replay, Replayed

COUNTED = ("candidate_recall", "candidates_mean", "drawn_mean")
BUDGETED = ("ltrr", "best_fixed", "best_fixed_hindsight")
"""Systems that a budget changes; only these have curves."""


def report(replays: Sequence[Replay], about: Mapping[str, Any]) -> dict[str, Any]:
    """The report of replays of one log, each at its budget; the first is told in full."""
    first = replays[0]
    k, seed = int(about["k"]), first.config.seed
    bootstrap = _bootstrap(first)
    made: dict[str, Any] = {
        **about,
        "seed": seed,
        "budget": first.config.budget,
        "searches": len(first.asked),
        "warmup_searches": first.learnt,
        **({"served": first.served} if first.served else {}),
        "steps": [{"start": step.start.isoformat(), "searches": step.size} for step in first.steps],
        "generators": list(first.generators),
        "ladder": list(first.ladder),
        "systems": {name: _figures(s, bootstrap, k) for name, s in first.systems.items()},
        "marginal_recall": _marginal_recall(first, bootstrap),
        "examination": positions_told(first.surfaces),
        "plans": _plans(first),
        "steps_of": _by_step(first, k),
    }
    for name, compared in _compared(first, bootstrap, k).items():
        made["systems"][name][f"against_{REFERENCE}"] = compared
    if len(replays) > 1:
        made["curves"] = {
            name: [
                {"budget": r.config.budget, **_figures(r.systems[name], _bootstrap(r), k)}
                for r in sorted(replays, key=lambda r: r.config.budget)
            ]
            for name in BUDGETED
            if all(name in r.systems for r in replays)
        }
    return made


def _bootstrap(replay: Replay) -> Bootstrap:
    users = [asked.user or ("search", asked.id) for asked in replay.asked]
    return Bootstrap(users, replay.config.seed)


def _figures(system: Replayed, bootstrap: Bootstrap, k: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for key in (*measure_names(k), *COUNTED):
        figures[key] = float(system.values[key].mean())
        figures[f"{key}_interval"] = list(bootstrap.interval(system.values[key]))
    for key, q in (("ms_p50", 0.5), ("ms_p99", 0.99)):
        ms = system.values["ms"]
        figures[key] = float(np.quantile(ms, q, method="inverted_cdf"))
        figures[f"{key}_interval"] = list(bootstrap.quantile_interval(ms, q))
    if system.plan is not None:
        figures["plan"] = list(system.plan)
    return figures


def _compared(replay: Replay, bootstrap: Bootstrap, k: int) -> dict[str, dict[str, Any]]:
    """{system: {measure: difference}} from the best fixed plan."""
    if REFERENCE not in replay.systems:
        return {}
    reference = replay.systems[REFERENCE].values
    found: dict[tuple[str, str], Difference] = {
        (name, key): bootstrap.difference(system.values[key], reference[key])
        for name, system in replay.systems.items()
        if name != REFERENCE
        for key in dict.fromkeys((*measure_names(k), "candidate_recall"))
    }
    adjusted = holm([one.p for one in found.values()])
    out: dict[str, dict[str, Any]] = {}
    for ((name, key), one), p in zip(found.items(), adjusted, strict=True):
        out.setdefault(name, {})[key] = {
            "difference": one.mean, "interval": list(one.interval), "p": one.p, "p_holm": p,
        }  # fmt: skip
    return out


def _marginal_recall(replay: Replay, bootstrap: Bootstrap) -> dict[str, Any]:
    """Per generator, at full depth: what only it found, and what it found."""
    found = np.stack([asked.found for asked in replay.asked])
    only = np.stack([asked.only for asked in replay.asked])
    return {
        name: {
            "recall": float(found[:, g].mean()),
            "recall_interval": list(bootstrap.interval(found[:, g])),
            "marginal": float(only[:, g].mean()),
            "marginal_interval": list(bootstrap.interval(only[:, g])),
        }
        for g, name in enumerate(replay.generators)
    }


def _plans(replay: Replay) -> dict[str, Any]:
    """Per kind of query, the commonest first: what the engine asks of each generator."""
    if "ltrr" not in replay.systems:
        return {}
    by_kind: dict[str, list[NDArray[np.int32]]] = {}
    for one, depths in zip(replay.asked, replay.systems["ltrr"].answers.depths, strict=True):
        by_kind.setdefault(one.kind, []).append(depths)
    return {
        kind: {
            "searches": len(asked),
            "depths": dict(zip(replay.generators, np.mean(asked, axis=0).tolist(), strict=True)),
        }
        for kind, asked in sorted(by_kind.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def _by_step(replay: Replay, k: int) -> dict[str, list[float | None]]:
    ends = np.cumsum([step.size for step in replay.steps])[:-1]
    key = measure_names(k)[0]
    return {
        name: [
            float(part.mean()) if part.size else None for part in np.split(system.values[key], ends)
        ]
        for name, system in replay.systems.items()
    }
