"""Rewrites that people wrote, as they lie in published files: mudoco, alexa-cqr, canard."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from conversation.base import Dialogue
from conversation.json_lines import json_lines
from conversation.rewrite_tokens import keys
from retrievers.base import Turn

Style = Literal["gold", "linked", "canard", "crowd", "scene", "renamed"]


@dataclass(frozen=True, slots=True)
class RewriteExample:
    """A query in its conversation and what it would be alone.

    `group`: examples of one dialogue share it, in whatever file they lie. `style`: whose hand wrote the
    rewrite; a model learns from all, and writes as "gold" does.
    """

    id: str
    group: str
    turns: tuple[Turn, ...]
    query: str
    rewrite: str
    style: Style = "gold"
    source: str = ""


def _group(texts: Sequence[str]) -> str:
    return " ".join(keys(texts[0]))


def _turns(context: Sequence[Mapping[str, str]]) -> tuple[Turn, ...]:
    return tuple(
        Turn("system" if said["role"] == "system" else "user", said["text"]) for said in context
    )


def read_rewrites(path: Path, source: str = "") -> list[RewriteExample]:
    """Rows {example_id, context, query, rewrite} as of mudoco's rewrites."""
    return [
        RewriteExample(
            row["example_id"],
            _group([*(said["text"] for said in row["context"]), row["query"]]),
            _turns(row["context"]),
            row["query"],
            row.get("rewrite", row["query"]),
            source=source or row.get("domain", ""),
        )
        for _, row in json_lines(path)
    ]


def read_canard(path: Path) -> list[RewriteExample]:
    """Rows {History, Question, Rewrite}: a title, a heading, then questions and answers."""
    found = []
    for _, row in json_lines(path):
        history = row["History"]
        turns = [Turn("system", " , ".join(history[:2]))]
        turns += [
            Turn("user" if at % 2 == 0 else "system", text) for at, text in enumerate(history[2:])
        ]
        found.append(
            RewriteExample(
                f"{row['QuAC_dialog_id']}-{row['Question_no']}",
                row["QuAC_dialog_id"],
                tuple(turns),
                row["Question"],
                row["Rewrite"],
                "canard",
                "canard",
            )
        )
    return found


def read_cqr(path: Path, crowd: bool = True) -> list[RewriteExample]:
    """Alexa's contextual query rewrites; with `crowd` also what ten people wrote of each.

    The query is the utterance at `base_utt_idx`, the conversation all other turns before the one that
    carries the rewrite: what is missing may have been said after.
    """
    found: list[RewriteExample] = []
    for at, item in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        turns = item["dialogue"]
        said = [
            Turn("user" if turn["turn"] == "driver" else "system", turn["data"]["utterance"])
            for turn in turns
        ]
        group = _group([turn.text for turn in said])
        for place, turn in enumerate(turns):
            written = turn.get("reformulation") or {}
            base = written.get("base_utt_idx")
            if not written.get("reformulated_utt") or base is None or not 0 <= base < len(turns):
                continue
            context = tuple(said[i] for i in range(place) if i != base)
            query = said[base].text
            found.append(
                RewriteExample(
                    f"cqr-{at}-{place}",
                    group,
                    context,
                    query,
                    written["reformulated_utt"],
                    source="cqr",
                )
            )
            for number, text in enumerate(written.get("mturk_reformulations") or ()):
                if crowd and text:
                    found.append(
                        RewriteExample(
                            f"cqr-{at}-{place}-{number}",
                            group,
                            context,
                            query,
                            text,
                            "crowd",
                            "cqr",
                        )
                    )
    return found


def of_dialogues(dialogues: Iterable[Dialogue]) -> list[RewriteExample]:
    """The users' turns that say what they would be alone."""
    found = []
    for dialogue in dialogues:
        said = tuple(
            Turn(turn.speaker, turn.text, tuple(slot.value for slot in turn.slots))
            for turn in dialogue.turns
        )
        for at, turn in enumerate(dialogue.turns):
            if turn.speaker == "user" and turn.rewrite is not None:
                found.append(
                    RewriteExample(
                        f"{dialogue.id}-{at}", dialogue.id, said[:at], turn.text, turn.rewrite
                    )
                )
    return found
