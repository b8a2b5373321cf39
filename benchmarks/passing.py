"""Systems side by side through the steps of a replay, of which only what is measured is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from tqdm import tqdm

from benchmarks.answers import Answers
from benchmarks.replay_work import Work
from benchmarks.replayed import Floats, Replayed, Searched, Stretch, values_of
from benchmarks.systems import System
from benchmarks.walk import Step


class Passing:
    """Lets systems learn and answer step by step; what was answered before an interruption is read."""

    def __init__(self, work: Work, k: int, progress: bool) -> None:
        self.steps: list[Stretch] = []
        self.asked: list[Searched] = []
        self._work = work
        self._k = k
        self._progress = progress
        self._answers: dict[str, list[Answers]] = {}
        self._values: dict[str, list[dict[str, Floats]]] = {}
        self._plans: dict[str, tuple[int, ...]] = {}
        self._of: dict[int, list[Searched]] = {}

    def through(
        self, steps: Iterable[Step], systems: Sequence[System], total: int, heading: str
    ) -> None:
        """Every system through every step, in order of time; may be called again with others."""
        bar = tqdm(steps, desc=heading, unit=" steps", total=total, disable=not self._progress)
        before: list[Step] = []
        for step in bar:
            if not step.measured:
                before.append(step)
                continue
            asked = self._searched(step)
            for system in systems:
                bar.set_postfix_str(system.name)
                system.learn(before, step)
                made = self._made(step, system)
                values = values_of(step.state.catalog, asked, made, self._k)
                self._answers.setdefault(system.name, []).append(made)
                self._values.setdefault(system.name, []).append(values)
                plan = getattr(system, "plan", None)
                if plan is not None:
                    self._plans[system.name] = tuple(int(depth) for depth in plan)
            before = [step]

    def _searched(self, step: Step) -> list[Searched]:
        if step.number not in self._of:
            self._of[step.number] = [Searched.of(step, asked) for asked in step.asked]
            self.asked += self._of[step.number]
            self.steps.append(Stretch(step.start, len(step.asked)))
        return self._of[step.number]

    def _made(self, step: Step, system: System) -> Answers:
        made = self._work.answers(step.number, system.name)
        if made is None:
            answers = [system.answer(step, asked) for asked in step.asked]
            made = Answers.of(answers, self._k, len(step.state.retrievers))
            self._work.keep_answers(step.number, system.name, made)
        system.answered(step, made)
        return made

    def plan(self, name: str) -> tuple[int, ...] | None:
        """The one plan that a system plays; None where it plays several."""
        return self._plans.get(name)

    def same(self, name: str, other: str) -> None:
        """Let a system have answered as another one that is no different."""
        self._answers[name], self._values[name] = self._answers[other], self._values[other]
        self._plans[name] = self._plans[other]

    def replayed(self, name: str) -> Replayed:
        """All that a system has answered."""
        values = self._values[name]
        return Replayed(
            name=name,
            answers=Answers.joined(self._answers[name]),
            values={key: np.concatenate([part[key] for part in values]) for key in values[0]},
            plan=self._plans.get(name),
        )
