from typing import Literal

import pytest

from conversation.actions import Actions, Declared, declared
from conversation.base import Action
from conversation.consistency import consistent
from conversation.domain import domain_of


def play(track: str, device: Literal["kitchen", "bedroom"] | None = None, volume: int = 5) -> None:
    """Start a track.

    It goes on until it ends.

    track: the title
    device: where
    """


def book(seats: int) -> None:
    """Book seats."""


BOOKED = declared(book)
DOMAIN = domain_of(
    "d",
    Actions([play, Declared("book", BOOKED.description, BOOKED.parameters, None, confirmed=True)]),
)


def test_an_action_is_read_from_signature_and_docstring() -> None:
    found = declared(play)
    assert (found.name, found.description, found.required) == ("play", "Start a track.", ("track",))
    track, device, volume = found.parameters
    assert (track.description, device.choices) == ("the title", ("kitchen", "bedroom"))
    assert (volume.type, volume.required) == ("number", False)


def test_an_annotation_that_cannot_be_filled_from_words_is_refused() -> None:
    def wrong(when: list[str]) -> None:
        del when

    with pytest.raises(TypeError, match="argument 'when': found the annotation"):
        declared(wrong)


def test_names_of_what_every_system_can_do_are_taken() -> None:
    def stop() -> None: ...

    with pytest.raises(ValueError, match="action 'stop': the name is taken"):
        declared(stop)


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        (Action("play"), "play: 'track' is missing"),
        (Action("play", {"track": "x", "mood": "y"}), "play: 'mood' is no argument of it"),
        (Action("play", {"track": "x", "device": "attic"}), "is none of"),
        (Action("play", {"track": "x", "volume": "loud"}), "is no number"),
        (Action("dance"), "no action 'dance' is declared"),
    ],
)
def test_what_cannot_be_called_is_told(action: Action, problem: str) -> None:
    assert any(problem in each for each in DOMAIN.actions.problems(action))


def test_a_whole_action_and_what_every_system_does_have_no_problems() -> None:
    assert DOMAIN.actions.problems(Action("play", {"track": "x", "volume": "3"})) == ()
    assert DOMAIN.actions.problems(Action("stop")) == ()


WHOLE = Action("play", {"track": "x"})


@pytest.mark.parametrize(
    ("actions", "wanted", "expected"),
    [
        # A missing argument is asked for instead.
        ([Action("play")], Action("play"), [Action("ask", {"argument": "track"})]),
        ([Action("confirm")], Action("book"), [Action("ask", {"argument": "seats"})]),
        # What was said is not asked for: the action is done, or confirmed where it has to be.
        ([Action("ask", {"argument": "track"})], WHOLE, [WHOLE]),
        (
            [Action("ask", {"argument": "seats"})],
            Action("book", {"seats": "2"}),
            [Action("confirm", {"seats": "2"})],
        ),
        # An optional one that was not said may be.
        (
            [Action("ask", {"argument": "device"})],
            WHOLE,
            [Action("ask", {"argument": "device"})],
        ),
        # Arguments it does not take and values it cannot have are left out.
        ([Action("play", {"track": "x", "seats": "2", "device": "attic"})], WHOLE, [WHOLE]),
        # A question stops what would be done, not what is answered.
        (
            [Action("inform", {"argument": "track"}), Action("play")],
            Action("play"),
            [Action("inform", {"argument": "track"}), Action("ask", {"argument": "track"})],
        ),
        ([Action("play"), Action("play")], WHOLE, [Action("ask", {"argument": "track"})]),
        ([Action("confirm"), Action("stop")], Action(""), [Action("stop")]),
    ],
)
def test_only_what_can_be_done_comes_out(
    actions: list[Action], wanted: Action, expected: list[Action]
) -> None:
    found = consistent(actions, wanted, DOMAIN)
    assert [*found] == expected
    assert not [p for action in found for p in DOMAIN.actions.problems(action)]
