from pathlib import Path

import pytest

from tests.cli.lines import ltrr


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    done = ltrr("train-conversation", "--out", tmp_path, "--part", "singer")
    assert done.code == 2
    assert "singer" in done.err


@pytest.mark.slow
def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        done = ltrr(
            "train-conversation", "--out", tmp_path / name, "--part", "dialogue",
            "--simulate", "100", "--steps", "3",
        )  # fmt: skip
        assert done.code == 0, done.err
        assert "dialogue.safetensors" in done.out
    first, second = (tmp_path / name / "dialogue.safetensors" for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
