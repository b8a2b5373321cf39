"""Words for what is said in any task, by what it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

PHRASES: Mapping[str, Sequence[str]] = {
    "give": (
        *("{0}", "{0} please", "{0}.", "how about {0}?", "I want {0}.", "I would like {0}."),
        *("maybe {0}", "let's go with {0}", "I like {0}.", "I'd prefer {0}.", "{0} would be nice."),
        *("I was thinking of {0}.", "something like {0}", "I am in the mood for {0}.", "try {0}"),
        *("Yes, {0}.", "it's {0}", "the one called {0}", "Can you do {0}?", "{0} sounds good."),
        *("I really love {0}.", "{0} is fine.", "well, my first choice is {0}", "Do you have {0}?"),
        *("I want to watch {0}.", "I would love to watch {0}.", "I'd like to see {0}.", "play {0}"),
        *("I want to hear {0}.", "let me listen to {0}", "can you play {0}?", "Is {0} available?"),
        *("Yes. I want to watch {0}.", "There is one called {0}, I want that.", "could it be {0}?"),
        *(
            "I am a fan of {0}.",
            "I would love to listen to {0}",
            "a good {0} one",
            "any {0} will do",
        ),
    ),
    "correct": (
        *("no, {0}", "No, I want {0} instead.", "actually I'd rather have {0}", "no, make it {0}"),
        *(
            "I changed my mind, {0} please",
            "No, I want to watch {0}.",
            "no, play {0}",
            "not that, {0}",
        ),
        *("No, actually, I'd rather watch {0}.", "Actually I want {0}.", "sorry, I meant {0}"),
        *("Oh. No, I'm thinking of {0}.", "we have decided on {0} instead", "no, change it to {0}"),
    ),
    "more": (
        *("anything else? I like {0}.", "What else do you have? I really like {0}.", "maybe {0}"),
        *("Do you have anything by {0}?", "something from {0}", "I'd prefer {0}", "rather {0}"),
        *("Can you look up some {0}?", "how about {0}?", "let's try something else, {0}"),
        *("Anything else? I love {0}.", "I am a {0} fan, do you have anything else?", "any {0}?"),
    ),
    "select": (
        *("{0} sounds good.", "{0} please", "I like {0}.", "let's take {0}", "{0} is perfect."),
        *("I'll go with {0}.", "{0} would be great.", "I want {0}.", "I choose {0}.", "{0}."),
        *("Yes, {0} is fine.", "oh, {0} is a good one", "I've heard of {0}, good.", "{0} works"),
        *("I would enjoy {0}.", "{0} is what I want."),
    ),
    "accept": (
        *("that sounds good", "sounds great", "I like that one.", "that's perfect.", "great!"),
        *("that works for me", "Yes, that is good.", "nice, I love it", "okay, good", "cool"),
        *("that one is fine", "Great, I'll take it.", "yes, I like that", "awesome, that's it"),
        *(
            "That would be nice.",
            "oh yes",
            "I think I would enjoy that.",
            "good choice",
            "ok great",
        ),
        *("Perfect.", "That's what I want.", "Alright, that seems good.", "yeah I like this"),
    ),
    "consent": (
        *("yes", "yes please", "Yeah, that's right.", "that is correct", "right", "correct."),
        *("sure", "sounds good", "yep", "Yes, that works.", "go ahead", "exactly", "please do"),
        *("ok", "That's fine.", "yes, confirm it", "that's perfect", "Yes, go ahead.", "perfect"),
        *("Yes, that is what I want.", "absolutely", "that will do", "okay, do it", "fine by me"),
    ),
    "agree": (
        *("yes", "yes please", "sure", "yeah, do that", "please do", "okay", "of course", "yep"),
        *("Yes, I'd like that.", "go ahead", "that would be great", "Sure, why not.", "definitely"),
        *("yes, now please", "Yeah, let's do it.", "sounds good", "absolutely", "I would, yes."),
    ),
    "decline": (
        *("no", "not now", "no thanks", "No, not right now.", "no, I don't want to", "nope"),
        *("not at the moment", "No, maybe later.", "no thank you", "I'd rather not.", "not yet"),
        *("No, that's not needed.", "no, don't", "nah, leave it", "Not this time, thanks."),
    ),
    "another": (
        *("anything else?", "what else is there?", "something else", "another one please"),
        *("Do you have other options?", "any others", "show me a different one", "what else"),
        *("Is there anything else?", "I don't like that one, what else?", "other suggestions?"),
        *(
            "not that one",
            "Can you find another?",
            "give me more choices",
            "no, something different",
        ),
        *(
            "I want something else.",
            "are there any more?",
            "nothing I like, what else have you got",
        ),
    ),
    "thanks": (
        *("thanks", "thank you", "Thank you very much.", "great, thanks", "cool, thank you"),
        *(
            "perfect, thanks",
            "Thanks a lot.",
            "awesome",
            "nice",
            "wonderful, thank you",
            "okay, thanks",
        ),
        *("I appreciate it.", "great", "good, thank you so much", "very kind of you"),
    ),
    "end": (
        *("no", "no thanks", "no, that's all", "nope, that is it", "that will be all", "I'm done"),
        *("nothing else, thanks", "No, I'm good.", "that's everything", "no thank you, bye"),
        *("No, that is all for now.", "I don't need anything else.", "goodbye", "all set, thanks"),
        *("not at the moment, thank you", "no, nothing more", "Nothing, have a nice day."),
    ),
    "fact": (
        *("what {} is it?", "What is the {}?", "which {} is it", "tell me the {}", "and the {}?"),
        *("What's the {} of this one?", "do you know the {}", "I'd like to know the {}."),
        *("what {} is that", "who is the {}?", "what kind of {} is it?", "Can you tell me the {}?"),
    ),
}
"""A sentence has `{0}` for its slot, in `fact` `{}` for what is asked."""

WISHES: Mapping[str, Sequence[str]] = {
    "do": (
        *("I want to {verb} {thing}", "can you {verb} {thing}", "{verb} {thing}", "I need {thing}"),
        *("I'd like to {verb} some {thing}", "please {verb} a {thing}", "help me {verb} {thing}"),
    ),
    "find": (
        *(
            "find {thing}",
            "I want to find {thing}",
            "can you find me some {thing}",
            "I need {thing}",
        ),
        *(
            "I am looking for {thing}",
            "search for {thing}",
            "are there any {thing}",
            "show me {thing}",
        ),
        *("I'd like to see {thing}", "help me find {thing}", "what {thing} are there"),
    ),
    "lookup": (
        *("find a {thing}", "I want to find some {thing}", "look up {thing}", "I need a {thing}"),
        *("I am looking for {thing}", "search for {thing}", "can you find me {thing}"),
        *("I'd like to hear {thing}", "help me find {thing}", "is there any good {thing}"),
    ),
    "play": (
        *("play {thing}", "play a {thing}", "I want to play {thing}", "can you play {thing}"),
        *("put on {thing}", "I'd like to hear {thing}", "I want to watch {thing}", "start {thing}"),
        *(
            "I want to listen to a {thing}",
            "I would like to see {thing}",
            "please play some {thing}",
        ),
    ),
}
"""By the first word of an action's name; `do` for the others."""

TOLD: Sequence[str] = (
    *("I want to {}", "can you {}", "{}", "I'd like to {}", "please {}", "now {}", "I need to {}"),
    *("let's {}", "could you {} for me", "it's time to {}", "help me to {}", "I'm hoping to {}"),
)
"""Wishes for an action by the beginning of its description."""

CARELESS: Sequence[str] = (
    *(
        "any {} is fine",
        "I don't care about the {}",
        "it doesn't matter which {}",
        "any {} will do",
    ),
    *("whatever {}", "I don't mind the {}", "I have no preference for {}", "{} does not matter"),
)
"""Of an argument that may be anything: `{}` is its name in words."""

SLOT_PHRASES: Sequence[str] = (
    *(
        "with NAME VALUE",
        ". The NAME is VALUE.",
        "from the NAME VALUE",
        ", I like VALUE",
        "by VALUE",
    ),
    *(
        "in VALUE",
        "from VALUE",
        ". I love VALUE.",
        ", NAME VALUE",
        ", maybe VALUE",
        "of NAME VALUE",
    ),
)
TITLE_PHRASES: Sequence[str] = ("VALUE", "called VALUE", "VALUE please", ", VALUE", ": VALUE")
"""How a wish names an argument: NAME is the argument's name in words, VALUE its value."""
