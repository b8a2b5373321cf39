from pathlib import Path

import pytest

from conversation.base import Action, AnnotatedTurn, Dialogue, Slot
from conversation.dialogues_file import is_dialogues_file, read_dialogues, write_dialogues
from conversation.script import read_script

SCRIPT = """
# A comment.
U: play [artist: Adele]
| put on some [artist: Adele]
> play(artist=Adele)
S: Playing [track: Hello].
U: the [sort=newest: latest] one
= adele latest
> play(artist=Adele, sort=newest)
> stop()
"""


def test_a_script_is_read_with_places_actions_and_one_dialogue_a_wording() -> None:
    first, second = read_script(SCRIPT, "s")
    assert (first.id, second.id) == ("s-1", "s-1-2")
    user, system, then = first.turns
    assert (user.text, user.rewrite, user.slots) == (
        "play Adele",
        "play Adele",
        (Slot("artist", "Adele", 5, 10),),
    )
    assert system.actions == user.actions == (Action("play", {"artist": "Adele"}),)
    assert then.slots == (Slot("sort", "newest", 4, 10),)
    assert then.rewrite == "adele latest"
    assert [action.name for action in then.actions] == ["play", "stop"]
    assert second.turns[0].text == "put on some Adele"


def test_a_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match=r"s, line 2: found 'X: hello', expected `U:`"):
        read_script("U: hi\nX: hello", "s")


@pytest.mark.parametrize("name", ["d.jsonl", "d.jsonl.gz"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    dialogues = read_script(SCRIPT, "s")
    write_dialogues(dialogues, tmp_path / name)
    assert is_dialogues_file(tmp_path / name)
    assert tuple(read_dialogues(tmp_path / name)) == dialogues


def test_a_slot_without_places_stands_where_its_value_does(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text(
        '{"format": "ltrr-dialogues", "version": 1}\n'
        '{"id": "d", "turns": [{"speaker": "user", "text": "play hello", '
        '"slots": [{"name": "track", "value": "Hello"}]}]}\n'
    )
    turn = AnnotatedTurn("user", "play hello", (Slot("track", "Hello", 5, 10),))
    assert [*read_dialogues(path)] == [Dialogue("d", (turn,))]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[]", "line 2: found list, expected an object"),
        ("{", "line 2: no JSON"),
        ('{"id": "d"}', "line 2: found turns None"),
        ('{"turns": [{"text": "a", "speaker": "bot"}]}', "turn 1: found speaker 'bot'"),
        (
            '{"turns": [{"text": "a", "speaker": "user", "slots": [{"name": "x", "value": "b"}]}]}',
            "turn 1: slot 'x' has start -1",
        ),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text('{"format": "ltrr-dialogues", "version": 1}\n' + line + "\n")
    with pytest.raises(ValueError, match=said):
        list(read_dialogues(path))


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text('{"format": "other"}\n')
    assert not is_dialogues_file(path)
    with pytest.raises(ValueError, match="line 1"):
        list(read_dialogues(path))
