import json
from pathlib import Path

import pytest

from conversation.dialogues_file import write_dialogues
from conversation.layouts import read_layout
from conversation.script import read_script
from tests.conversation.made_sgd import write_sgd

SCRIPT = "U: play [artist: Adele]\n> play(artist=Adele)\nS: Here.\nU: more\n= more by adele\n"


def test_dialogues_of_the_own_layout_and_scripts_are_found_in_a_folder(tmp_path: Path) -> None:
    dialogues = read_script(SCRIPT, "s")
    write_dialogues(dialogues, tmp_path / "d.jsonl.gz")
    (tmp_path / "s.txt").write_text(SCRIPT)
    found = read_layout(tmp_path)
    assert found.layout == "dialogues, script"
    assert found.dialogues == dialogues * 2
    assert [rewrite.rewrite for rewrite in found.rewrites] == ["play Adele", "more by adele"] * 2


def test_services_become_lessons_of_their_training_part(tmp_path: Path) -> None:
    found = read_layout(write_sgd(tmp_path, 4))
    assert (found.layout, len(found.lessons), found.dialogues) == ("sgd-music", 3, ())
    assert found.lessons[0].domain.name == "Music_9"


def test_rewrites_are_read_as_published(tmp_path: Path) -> None:
    path = tmp_path / "rewrites.jsonl"
    row = {"example_id": "1", "context": [{"role": "user", "text": "hi"}], "query": "more"}
    path.write_text(json.dumps({**row, "rewrite": "more by adele"}) + "\n")
    (rewrite,) = read_layout(path).rewrites
    assert (rewrite.query, rewrite.rewrite) == ("more", "more by adele")


@pytest.mark.parametrize("name", ["other.jsonl", "none"])
def test_what_has_no_known_layout_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "other.jsonl").write_text('{"a": 1}\n')
    with pytest.raises((ValueError, FileNotFoundError), match="expected a folder of mudoco"):
        read_layout(tmp_path / name)
