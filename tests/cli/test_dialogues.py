import json
from pathlib import Path

from tests.cli.lines import ltrr
from tests.conversation.made_sgd import write_sgd


def test_a_manager_is_measured_on_dialogues_it_was_not_trained_on(tmp_path: Path) -> None:
    data = write_sgd(tmp_path, 8)
    done = ltrr("evaluate-dialogue", data, "--steps", "20", "--no-vectors", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)["trained on train"]
    assert (found["dialogues"], found["turns"]) == (6, 18)
    music = found["services"]["Music_9"]
    assert (music["turns"], music["seen"]) == (6, True)
    assert music["actions"].keys() == {"confirm", "Play", "inform", "stop"}
    assert found["services"]["all"]["turns"] == 6


def test_samples_are_measured_alone_and_with_simulated_ones(tmp_path: Path) -> None:
    data = write_sgd(tmp_path, 24)
    done = ltrr(
        "evaluate-dialogue", data, "--samples", "4", "--simulated", "12", "--steps", "3",
        "--no-vectors",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "4 samples alone (4 dialogues, 12 turns)" in done.out
    assert "errors of actions and arguments" in done.out


def test_another_folder_is_refused(tmp_path: Path) -> None:
    done = ltrr("evaluate-dialogue", tmp_path)
    assert done.code == 2
    assert "dialogues.jsonl.gz" in done.err
