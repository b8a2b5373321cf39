"""Words of every script, and Porter's stems."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.analysis import ENGLISH_STOPWORDS, Analyzer, normalise, words
from retrievers.stemming import porter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Beyoncé", "beyonce"),
        ("Łódź  ØRSTED\tStraße", "lodz orsted strasse"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("İstanbul", "istanbul"),
        ("Ёлка й", "елка и"),
        ("שָׁלוֹם", "שלום"),
        ("Don't Don’t Donʼt", "dont dont dont"),
        ("Simon & Garfunkel", "simon and garfunkel"),
        ("Florence + the Machine", "florence and the machine"),
        ("R.E.M.", "rem"),
        ("B.o.B", "bob"),
        ("will.i.am", "will.i.am"),
        ("P!nk Ke$ha Panic! $5", "pink kesha panic! $5"),
        ("zero\u200bwidth soft\u00adhyphen", "zerowidth softhyphen"),
        ("ガギ", "ガギ"),
        ("हिन्दी", "हिन्दी"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AC/DC: Back-in_Black", ["ac", "dc", "back", "in", "black"]),
        ("!!!", ["!!!"]),
        ("? !", ["?", "!"]),
        ("★", ["★"]),
        ("★ Blackstar", ["blackstar"]),
        ("हिन्दी गीत", ["हिन्दी", "गीत"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_unspaced_scripts_become_characters_and_pairs() -> None:
    assert Analyzer().tokens("愛してる") == ["愛", "し", "て", "る", "愛し", "して", "てる"]
    assert Analyzer().tokens("BTS봄날 2") == ["bts", "봄", "날", "봄날", "2"]
    assert {"ไท", "ทย"} <= set(Analyzer().tokens("ไทย"))


def test_part_of_an_unspaced_title_shares_its_tokens() -> None:
    assert set(Analyzer().tokens("方舟")) < set(Analyzer().tokens("大航海方舟記"))


def test_stopwords_go_unless_nothing_else_is_there() -> None:
    analyzer = Analyzer(stopwords=ENGLISH_STOPWORDS)
    assert analyzer.tokens("The Rolling Stones") == ["rolling", "stones"]
    assert analyzer.tokens("The The") == ["the", "the"]


def test_stemming_leaves_other_scripts_alone() -> None:
    assert Analyzer("english").tokens("Running горы") == ["run", "горы"]


def test_an_unknown_stemming_is_refused() -> None:
    settings: dict[str, Any] = {"stem": "french"}
    with pytest.raises(ValueError, match=r"Analyzer\.stem: found 'french', expected one of"):
        Analyzer(**settings)


PORTER = """
caresses caress ponies poni ties ti cats cat feed feed agreed agre plastered plaster bled bled
motoring motor sing sing conflated conflat troubled troubl sized size hopping hop tanned tan
falling fall hissing hiss fizzed fizz failing fail filing file happy happi sky sky relational
relat conditional condit rational ration valenci valenc digitizer digit conformabli conform
radicalli radic differentli differ vileli vile analogousli analog vietnamization vietnam operator
oper feudalism feudal decisiveness decis hopefulness hope callousness callous formaliti formal
sensitiviti sensit sensibiliti sensibl triplicate triplic formative form formalize formal
electriciti electr electrical electr goodness good revival reviv allowance allow inference infer
airliner airlin gyroscopic gyroscop adjustable adjust defensible defens irritant irrit replacement
replac dependent depend adoption adopt homologou homolog communism commun activate activ effective
effect bowdlerize bowdler probate probat rate rate cease ceas controll control roll roll
oscillators oscil generalizations gener is is yes ye
"""


def test_porter_gives_the_stems_of_the_paper() -> None:
    pairs = PORTER.split()
    assert [porter(word) for word in pairs[::2]] == pairs[1::2]


@given(st.text())
def test_any_text_has_tokens_unless_it_is_blank(text: str) -> None:
    for analyzer in (Analyzer(), Analyzer("english", ENGLISH_STOPWORDS)):
        tokens = analyzer.tokens(text)
        assert bool(tokens) == bool(normalise(text))
        assert all(token and "\n" not in token and " " not in token for token in tokens)


@given(st.text(st.characters(max_codepoint=0x24F)))
def test_case_does_not_matter(text: str) -> None:
    assert Analyzer().tokens(text.lower()) == Analyzer().tokens(text.lower().casefold())
