"""A world of a few records, where what follows from what can be said by hand."""

import pytest

from conversation.actions import Actions
from conversation.base import Action
from conversation.moves import wanted
from conversation.script import read_script
from conversation.simulator import Habits, Simulator
from demo.actions import actions, finders
from retrievers.base import Document

SCRIPT = """
U: play [artist: Adele]
| [artist: Adele]
> play(artist=Adele)
S: Playing [track: Hello] by [artist: Adele].
U: their [sort=newest: latest] [kind=album: album]
= play adele latest album
> play(kind=album, artist=Adele, sort=newest)
S: Playing the album [album: 25].
U: when did it come out
= when did 25 come out
> answer(fact=year, album=25)
S: In [year: 2015].

U: play [track: Love]
> ask_which(name=Love)
~ play(track=Love)
S: [track: Love] by [artist: A] or by [artist: B]?
U: the second
= play love by b
> play(track=Love, artist=B)
S: Playing [track: Love] by [artist: B].
U: no, the other one
= play love by a
> play(track=Love, artist=A)
S: Playing [track: Love] by [artist: A].

U: [genre: pop] songs
> search(genre=pop)
S: There is [track: Hello].
U: from the [decade=2010s: 10s]
= pop songs from the 10s
> refine(genre=pop, decade=2010s)
S: There is [track: Hello].

U: add [track: Hello] to a playlist
> ask(argument=playlist)
~ add(track=Hello)
S: Which?
U: [playlist: Mix]
= add hello to mix
> add(track=Hello, playlist=Mix)
S: Done.
"""


def documents() -> list[Document]:
    found = []
    for number, name in enumerate(("Abba", "Blur", "Cher")):
        common = {"artist": name, "genre": ["pop", f"genre{number}"], "popularity": 50 - number}
        found.append(_document("artist", name, {**common, "year": 1990}))
        for year in (1995, 2005):
            album = {**common, "year": year, "decade": f"{year // 10 * 10}s"}
            found.append(_document("album", f"{name} {year}", album))
            for at in range(2):
                track = {**album, "album": f"{name} {year}"}
                found.append(_document("track", f"Song {number}{year}{at}", track))
        found.append(_document("track", "Love", {**common, "year": 2001, "decade": "2000s"}))
    found.append(_document("playlist", "Mix", {"genre": ["pop"], "popularity": 10}))
    return found


def _document(type: str, title: str, metadata: dict[str, object]) -> Document:
    return Document(f"{type}:{title}:{metadata.get('artist')}", title, "", type, metadata)


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    every = documents()
    script, habits = read_script(SCRIPT, "s"), Habits(turns=(2, 5))
    return Simulator(every, actions(every), script, finders=finders(every), habits=habits)


def test_the_same_seed_gives_the_same_dialogues_and_another_others(simulator: Simulator) -> None:
    once = [*simulator.dialogues(20, seed=3)]
    assert once == [*simulator.dialogues(20, seed=3)]
    assert once != [*simulator.dialogues(20, seed=4)]


def test_places_of_slots_are_words_of_the_turn_and_actions_can_be_called(
    simulator: Simulator,
) -> None:
    declared = actions(documents())
    for dialogue in simulator.dialogues(100, seed=1):
        assert len(dialogue.turns) % 2 == 0
        for turn in dialogue.turns:
            assert all(0 <= s.start < s.end <= len(turn.text) for s in turn.slots)
            assert not [p for action in turn.actions for p in declared.problems(action)]
            if turn.speaker == "user":
                assert turn.rewrite


def test_the_latest_album_is_that_of_the_artist_named_last(simulator: Simulator) -> None:
    seen = 0
    for number in range(200):
        played = simulator.play(2, number)
        artist = ""
        users = [turn for turn in played.dialogue.turns if turn.speaker == "user"]
        for user, targets in zip(users, played.targets, strict=True):
            for action in user.actions:
                if action.arguments.get("sort") == "newest":
                    seen += 1
                    name = action.arguments["artist"]
                    assert targets[0] == f"album:{name} 2005:{name}"
                    assert name == artist
                    assert (user.rewrite or "").casefold().startswith("play")
                artist = action.arguments.get("artist", artist)
    assert seen > 10


def test_an_ambiguous_name_is_asked_about_and_a_missing_argument_too(simulator: Simulator) -> None:
    names = [
        action.name
        for dialogue in simulator.dialogues(200, seed=5)
        for turn in dialogue.turns
        for action in turn.actions
        if turn.speaker == "user"
    ]
    assert names.count("ask_which") > 5
    assert names.count("ask") > 5
    for dialogue in simulator.dialogues(200, seed=5):
        for turn in dialogue.turns:
            plays = [a for a in turn.actions if a.name == "play" and "track" in a.arguments]
            assert all("artist" in a.arguments for a in plays if a.arguments["track"] == "Love")


def test_wants_keeps_what_was_given_before_the_missing_argument(simulator: Simulator) -> None:
    for dialogue in simulator.dialogues(200, seed=5):
        wants: Action | None = None
        for turn in dialogue.turns:
            if turn.speaker == "user":
                before, wants = wants, wanted(turn, wants)
                if before and before.name == "add" and [a.name for a in turn.actions] == ["add"]:
                    assert wants
                    assert {*wants.arguments} == {"track", "playlist"}


def test_samples_without_a_beginning_are_refused() -> None:
    with pytest.raises(ValueError, match="found no user's turn that begins a dialogue"):
        Simulator(documents(), Actions([]), ())


def test_an_owner_that_is_no_type_of_document_is_named_with_the_thing() -> None:
    songs = [
        Document(f"s{at}", "", "", "song", {"name": f"Song {at}", "artist": name, "genre": "pop"})
        for at, name in enumerate(("Abba", "Blur", "Cher"))
    ]

    def look_up(genre: str | None = None) -> None: ...

    script = "U: [genre: pop] songs\n> look_up(genre=pop)\nS: [name: One] by [artist: Abba]."
    simulator = Simulator(songs, Actions([look_up]), read_script(script, "s"))
    assert all(len(dialogue.turns) >= 2 for dialogue in simulator.dialogues(10))
