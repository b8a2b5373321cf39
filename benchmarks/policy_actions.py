"""Open Bandit folders for `ltrr evaluate-policy`: one item at one position a round."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bandit.ope import Evidence, Feedback, crossfitted_rewards, of_actions
from benchmarks.open_bandit import ITEMS, read_open_bandit
from engine.errors import BadInput

Floats = NDArray[np.float64]
UNIFORM = "random"
"""The folder of the uniform policy, which an evaluation starts from where none is named."""


@dataclass(frozen=True, slots=True, eq=False)
class LoggedActions:
    """What a log says of a target policy. `own`: rewards of the target's own rounds, None where there
    are none."""

    log: Path
    evidence: Evidence
    own: Floats | None
    notes: tuple[str, ...]


def is_open_bandit(folder: Path) -> bool:
    """Whether a folder holds Open Bandit logs, itself or in its folders of policies and campaigns."""
    return any(True for depth in ("", "*/", "*/*/") for _ in folder.glob(f"{depth}{ITEMS}.csv*"))


def read_actions(folder: Path, target: str) -> LoggedActions:
    """The log of a folder, weighed for a target.

    `folder`: one campaign (…/random/men), or a folder above it that leaves no choice; of several
    policies the log of `random` is taken. `target`: `uniform`; another policy of the same campaign
    by its folder's name (`bts`); or a folder. What is known of such a policy is its log: the target
    shows each item at each position as often as that log did, whoever asked and whenever.
    """
    log = _campaign(folder)
    feedback = read_open_bandit(log).feedback
    own = None
    if target == "uniform":
        slots = int(feedback.positions.max()) + 1
        shares = np.full((slots, feedback.n_actions), 1.0 / feedback.n_actions)
        notes: tuple[str, ...] = ()
    else:
        there = _beside(log, target)
        other = read_open_bandit(there).feedback
        shares = _shares(log, feedback, there, other)
        own = other.rewards
        notes = (
            f"The target shows each item at each position as often as {there} did in all its "
            f"{len(other):,} rounds, whoever asked and whenever; its own value is that of a policy "
            "that may have changed on the way.",
        )
    chances = shares[feedback.positions]
    evidence = of_actions(feedback, chances, crossfitted_rewards(feedback))
    return LoggedActions(log, evidence, own, notes)


def _campaign(folder: Path) -> Path:
    while not any(folder.glob(f"{ITEMS}.csv*")):
        inside = sorted(path for path in folder.iterdir() if path.is_dir())
        named = [path for path in inside if path.name == UNIFORM]
        if len(named or inside) != 1:
            raise BadInput(
                f"{folder}: found {[path.name for path in inside]}, expected one campaign; name its "
                "folder"
            )
        folder = (named or inside)[0]
    return folder


def _beside(log: Path, target: str) -> Path:
    """The folder of the target: the log's own path with another policy in it, or a path as it is."""
    for path in (log, log.resolve()):
        for parent in path.parents:
            there = parent / target / Path(*path.relative_to(parent).parts[1:])
            if there.is_dir() and is_open_bandit(there):
                return _campaign(there)
    if Path(target).is_dir() and is_open_bandit(Path(target)):
        return _campaign(Path(target))
    raise BadInput(
        f"--target: found {target!r}, expected uniform, the name of a policy's folder beside that of "
        f"{log}, or a folder with an Open Bandit log"
    )


def _shares(log: Path, feedback: Feedback, there: Path, other: Feedback) -> Floats:
    """Shape (positions, items): how often the target showed each item at each position."""
    slots = int(feedback.positions.max()) + 1
    if other.n_actions != feedback.n_actions or int(other.positions.max()) + 1 != slots:
        raise BadInput(
            f"--target: {there} has {other.n_actions} items at {int(other.positions.max()) + 1} "
            f"positions, expected {feedback.n_actions} at {slots} as in {log}"
        )
    counts = np.zeros((slots, feedback.n_actions))
    np.add.at(counts, (other.positions, other.actions), 1.0)
    shares: Floats = counts / counts.sum(axis=1, keepdims=True)
    return shares
