"""Names, times and errands that fill the slots of scenes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

MEN = "James John Robert Michael David William Richard Joseph Thomas Charles Daniel Matthew Anthony Mark Steven Paul Andrew Joshua Kevin Brian George Edward Ronald Timothy Jason Jeff Ryan Jacob Gary Nick Eric Jonathan Stephen Larry Justin Scott Brandon Ben Samuel Frank Greg Raymond Alexander Patrick Jack Dennis Jerry Tyler Aaron Henry Adam Doug Peter Zach Kyle Walter Ethan Jeremy Carlos Luis Juan Ahmed Raj Ivan Omar Hugo Leo Mo Sanjay Diego Tim Bob Mike Dave Tom Jim Joe Bill Dan Sean Marcus Derek Caleb Grandpa Dad".split()
WOMEN = "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Betty Sandra Margaret Ashley Kimberly Emily Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca Laura Helen Sharon Cynthia Kathleen Amy Angela Shirley Anna Brenda Pamela Emma Nicole Samantha Katherine Christine Rachel Carolyn Janet Maria Heather Diane Julie Joyce Victoria Kelly Christina Joan Evelyn Judy Olivia Megan Cheryl Martha Andrea Frances Hannah Jacqueline Ann Gloria Jean Kathryn Alice Teresa Sara Janice Julia Grace Theresa Rose Beverly Denise Marilyn Amber Danielle Brittany Diana Abigail Jane Natalie Lori Tiffany Alexis Kayla Priya Mei Fatima Lola Sofia Sue Kim Jenny Tina Sally Wendy Mom Grandma Tracy Monica Molly Erica".split()
LAST = "Smith Johnson Brown Jones Garcia Miller Davis Martinez Lopez Wilson Anderson Taylor Moore Jackson Martin Lee Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Murphy Cook Rogers Morgan Cooper Peterson Bailey Reed Kelly Howard Ward Richardson Watson Brooks Wood James Bennett Gray Hughes Price Long Foster Sanders Ross Powell Sullivan Russell Perry".split()
TITLES = ("Aunt", "Uncle", "Doctor", "Coach", "Mrs .", "Mr .", "Grandma", "Cousin")
SYLLABLES = "ka ri mo ta ne shi lo va de zu li na ro be ja mi so ya du pe".split()
WORDS = "love night heart fire dream blue river light moon rain summer road home wild sweet dance gold baby time stars angel black crazy sky summer story lonely tonight girl boy world forever shake money river hello midnight ocean paper diamonds breathe shadow believe halo thunder happy stay roses ghost wonder city broken young heaven back again hotel candy sugar lights morning train".split()
SMALL_WORDS = ("of", "the", "in", "my", "you", "to", "me", "on", "a", "is", "and", "for")
BANDS = "The {}s|{} and the {}s|{}|{} {}|DJ {}|{} Boys|Lil {}".split("|")
DAYS = "today tomorrow tonight yesterday Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split() + ["this weekend", "next week", "on Monday", "on Friday", "this morning", "next Tuesday", "this afternoon", "on Saturday", "last night", "this evening"]
CITIES = ["Boston", "Chicago", "Miami", "Seattle", "Denver", "Austin", "Paris", "London", "New York", "San Francisco", "Los Angeles", "Dallas", "Portland", "Atlanta", "Phoenix", "Toronto", "Rome", "Las Vegas", "Tokyo", "Detroit", "Tampa", "Salt Lake City", "Houston", "Madison", "my office", "the beach", "downtown Cleveland", "Orlando", "San Diego"]
GROUPS = "ski,book club,soccer,yoga,family,hiking,bowling,choir,running,work,poker,chess,class of 2010,game night,neighborhood,softball,gardening,road trip".split(",")
PLAYLISTS = "workout,party,road trip,chill,favorites,dinner,running,Sunday,country,sleep,summer,focus".split(",")
MESSAGES = "I will be late,dinner is at 7,the party was moved to Saturday,I 'm on my way,I can not make it tonight,we need milk and eggs,the meeting is cancelled,happy birthday,I miss you,I forgot my keys,the game starts at noon,I 'll be there in ten minutes,I 'll call back later,to call me,to pick up the kids,we are at the park,the doctor called,I loved the cake,school is closed,I am busy,my phone died,the flight was delayed,to bring a jacket,we won the game,congratulations,I found the book,the dog is fine,I 'm at work,to meet me at the mall,the movie starts at 8,we should talk,I got the job,the package arrived".split(",")
ERRANDS = "buy milk,pay the rent,water the plants,walk the dog,clean the garage,call the dentist,pick up the laundry,take out the trash,renew my passport,book a flight,feed the cat,study for the test,take my medicine,check the oven,go to the gym,mail the letter,order a cake,do the dishes,return the books,get gas,wash the car".split(",")
TOPICS = "the election,the hurricane,climate change,the stock market,the new iPhone,the World Cup,the Lakers,Brexit,the royal wedding,Tesla,NASA,the wildfire,the merger of Sony and GE,football,gas prices,the Dodgers,Toyota,the airport strike".split(",")
RELATIONS = "brother sister aunt uncle cousin friend boss doctor neighbor roommate son daughter coworker nephew niece teacher".split()
HE, SHE, THEY = ("him", "he", "his"), ("her", "she", "her"), ("them", "they", "their")


def fill(slot: str, rng: np.random.Generator, taken: Collection[str]) -> Mapping[str, str]:
    """Something for a slot by its form, "" the whole; nothing that is taken already."""
    kind = slot.rstrip("23")
    for _ in range(50):
        made = _made(kind, rng)
        if not any(made[""] in other or other in made[""] for other in taken):
            break
    return made


def _pick(options: Collection[str], rng: np.random.Generator) -> str:
    return list(options)[rng.integers(len(options))]


def _made(kind: str, rng: np.random.Generator) -> Mapping[str, str]:
    if kind in ("p", "q", "r"):
        return _person(rng)
    if kind == "artist":
        if rng.random() < 0.55:
            return _person(rng, full=0.8)
        name = _pick(BANDS, rng).replace("{}", _pick(WORDS, rng).title())
        pronouns = THEY if rng.random() < 0.8 else HE
        return {"": name, **dict(zip(("him", "he", "his"), pronouns, strict=True))}
    if kind in ("song", "album"):
        words = [_pick(WORDS, rng) for _ in range(rng.integers(1, 4))]
        if len(words) > 1 and rng.random() < 0.5:
            words.insert(int(rng.integers(1, len(words))), _pick(SMALL_WORDS, rng))
        return {"": " ".join(words).title() if rng.random() < 0.85 else " ".join(words)}
    if kind == "time":
        hour = int(rng.integers(1, 13))
        return {"": _pick((f"{hour} PM", f"{hour} : 30", f"{hour} AM", f"{hour} : 00 pm", "noon", "in an hour", f"{hour} o 'clock"), rng)}
    if kind == "n":
        return {"": str(int(rng.integers(2, 30)))}
    options = {
        "day": DAYS, "city": CITIES, "group": GROUPS, "playlist": PLAYLISTS, "message": MESSAGES, "errand": ERRANDS,
        "topic": TOPICS, "relation": RELATIONS,
    }[kind]  # fmt: skip
    return {"": _pick(options, rng)}


def _person(rng: np.random.Generator, full: float = 0.3) -> Mapping[str, str]:
    woman = rng.random() < 0.5
    first = _pick(WOMEN if woman else MEN, rng)
    him, he, his = SHE if woman else HE
    if rng.random() < 0.15:
        first = "".join(_pick(SYLLABLES, rng) for _ in range(rng.integers(2, 4))).title()
    last = _pick(LAST, rng)
    name = f"{first} {last}" if rng.random() < full else first
    if rng.random() < 0.08:
        name = f"{_pick(TITLES, rng)} {first}"
    elif rng.random() < 0.08:
        name = f"my {_pick(RELATIONS, rng)}" + (f" {first}" if rng.random() < 0.5 else "")
    return {"": name, "first": first, "last": last, "him": him, "he": he, "his": his}
