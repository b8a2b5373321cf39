"""What moves are for, and what can be wished for of actions that no sample shows."""

from collections import Counter

import pytest

from conversation.actions import Actions, Declared, Parameter
from conversation.general_moves import GeneralMoves, purpose, words_for
from conversation.moves import Moves
from conversation.script import read_script
from conversation.simulator import Habits, Simulator
from tests.conversation.test_simulator import documents

ARTIST = Parameter("artist", "who made it", True)
ROOM = Parameter("room", "where", False, ("hall", "attic"))
ACTIONS = Actions(
    [
        Declared("find", "Find songs by genre", (Parameter("genre", "kind"),)),
        Declared("play", "Play songs of somebody", (ARTIST, ROOM), confirmed=True),
    ]
)
SCRIPT = """
U: find [genre: pop]
> find(genre=pop)
S: There is [artist: Adele].
U: what else
> offer()
~ find(genre=pop)
S: There is [artist: Blur].
U: fine
> propose(action=play)
~ find(genre=pop, artist=Blur)
S: Shall I play it?
U: do so
> confirm(artist=Blur, room=hall)
~ play(genre=pop, artist=Blur)
S: [artist: Blur] in the hall?
U: that is it
> play(artist=Blur, room=hall)
~ play(genre=pop, artist=Blur, room=hall)
S: It plays.
U: well done
> ask_more()
S: More?
U: I am off
> stop()
S: Bye.
"""


@pytest.fixture(scope="module")
def moves() -> Moves:
    samples = read_script(SCRIPT, "s")
    return Moves(samples, frozenset({"artist", "genre"}), frozenset({"room"}), ("track", "artist"))


def test_what_a_move_is_for_is_told_from_what_it_follows_and_leads_to(moves: Moves) -> None:
    found = {m.text: purpose(m) for named in moves.user.values() for m in named}
    assert found == {
        "find {0}": None,
        "what else": "another",
        "fine": "accept",
        "do so": "agree",
        "that is it": "consent",
        "well done": "thanks",
        "I am off": "end",
    }
    assert all(words_for(m) for named in moves.user.values() for m in named if purpose(m))


def test_every_action_can_be_wished_for(moves: Moves) -> None:
    general = GeneralMoves(ACTIONS, moves)
    asking = ("ask:artist:play",)
    assert asking in general.system
    wishes = [m for m in general.user[((), 0, "")] if m.wants and m.wants.name == "play"]
    does = Counter(doing.name for move in wishes for doing in move.actions)
    assert does.keys() == {"ask", "confirm"}
    # The system adds where it plays, as in the sample, when it asks whether that is right.
    confirm = next(d for move in wishes for d in move.actions if d.name == "confirm")
    assert ("room", "hall") in [(name, source.value) for name, source in confirm.arguments]
    assert [own.field for own in general.user[(asking, 0, "")][0].own] == ["artist"]


def test_dialogues_with_general_moves_go_where_no_sample_goes(moves: Moves) -> None:
    del moves
    script = read_script(SCRIPT, "s")
    habits = Habits(turns=(3, 7), general=0.6, new_topic=0.0)
    simulator = Simulator(documents(), ACTIONS, script, habits=habits)
    opened, other = 0, 0
    for dialogue in simulator.dialogues(150):
        for turn in dialogue.turns:
            if turn.speaker == "user":
                opened += [a.name for a in turn.actions] == ["ask"]
                rooms = [a.arguments.get("room") for a in turn.actions]
                other += rooms == ["attic"]
                assert not [p for a in turn.actions for p in ACTIONS.problems(a)]
                plays = [a for a in turn.actions if a.name == "play"]
                assert all("room" in a.arguments for a in plays)
    assert opened > 5
    assert other > 5
