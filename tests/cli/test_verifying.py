"""`ltrr verify`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.lines import ltrr


def test_a_sound_index_and_a_damaged_one(index: Path) -> None:
    told = ltrr("verify", index)
    assert (told.code, told.out.strip()) == (0, "Every file is what was written.")
    here = index / "snapshots" / (index / "CURRENT").read_text() / "names" / "words.npy"
    here.write_bytes(here.read_bytes()[:-1] + b"?")
    told = ltrr("verify", index, "--json")
    assert told.code == 1
    found = json.loads(told.out)
    assert found["sound"] is False
    assert "words.npy: damaged" in found["damaged"][0]


def test_where_there_is_no_index(tmp_path: Path) -> None:
    ltrr("verify", tmp_path).refused("holds no index")
