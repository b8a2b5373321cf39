"""How the demo's listeners behave: every share and rate, in one table.

Where a source is named, it says so of real people; the figures themselves are the demo's choice,
since what traffic looks like differs by service.

| what | value | source |
|---|---|---|
| *what is searched for* | | |
| a known item: a track, or in 12% an album of the artists, a playlist, a station or a podcast of the genres | 45% | most music searches are after one thing [1] |
| an artist, meaning the artist (half of them) or one of the tracks | 20% | |
| a genre, mood or decade, meaning one item of the listener's taste | 15% | |
| what the listener played before, by the beginning of its name | 12%; `known` while nothing was played | people search for the same again: 40% of web searches [2] |
| no more than a kind of music, meaning something not played yet | 8% | |
| *tastes* | | |
| listeners | 60, each with three genres, twelve artists and thirty favourite tracks | |
| languages | a mother tongue, in proportion to the catalogue's tracks, whose genres are chosen and whose artists count 3 times; English too in 70% where it is another | |
| an era | a decade, in proportion to the tracks of the genres; its artists and tracks count 3 times | |
| popularity | an item counts (1 + popularity) ** 1.5 times | |
| a favourite is meant | 80%, the r-th favourite in proportion to 1 / r; else any track of the artists | people prefer repeating to exploring [3] |
| something outside of all tastes is meant, because everybody hears it | 5% of known items | |
| *the clock* | | |
| searches | one in 12 minutes in the mean over the week, by part of week as in `demo/clock.py` | five blocks of the day, others at weekends [4] |
| what is meant suits the part of the week, by mood or genre | 40%, where the listener has such tracks; else whatever it is | energetic in business hours, relaxing late at night [5] |
| *typing* | | |
| as meant | 45% | |
| one slip: a neighbouring key, a letter dropped, doubled or swapped | 22% | 10 to 15% of web queries are misspelt [6], over 80% of misspelt words by one letter [7] |
| a prefix | 15% | |
| no accents | 6% | |
| swapped words | 6% | |
| a word left out | 6% | |
| a known track is named with its artist | 35%, the title first in 5 of 7 | |
| a kind of music is named by two words of different fields | 40%, where the item has such | |
| a nickname (`catalog/nicknames.tsv`) or another name in an artist's place | 25%, where there is one | |
| *reading the page* | | |
| examination of rank r | r ** -0.5, the first ten | position-based model [8] |
| a wrong click on an examined item | 2% | |
| a second try, once, typed as meant and with more words, where the first brought no click on what was meant | 35% | a similar query within minutes tells of a failed one [9] |
| time until the second try | 30 seconds in the mean | |

[1] Li et al., Search mindsets, WWW 2019. [2] Teevan et al., Information re-retrieval, SIGIR 2007.
[3] Louail & Barthelemy, Headphones on the wire, arXiv 1704.05815. [4] Heggli et al., Diurnal
fluctuations in musical preference, Royal Society Open Science 2021. [5] Park et al., Nature Human
Behaviour 3, 2019. [6] Cucerzan & Brill, EMNLP 2004. [7] Damerau, CACM 7(3), 1964. [8] Craswell et
al., WSDM 2008. [9] Hassan et al., Beyond clicks, CIKM 2013.
"""

from __future__ import annotations

from benchmarks.clicks import PositionBased

INTENTS = {"known": 0.45, "artist": 0.20, "topic": 0.15, "again": 0.12, "new": 0.08}
OTHER_KINDS = 0.12

LISTENERS = 60
GENRES = 3
ARTISTS = 12
FAVOURITES = 30
ENGLISH_TOO = 0.7
MOTHER_TONGUE = 3.0
OF_THE_ERA = 3.0
POPULARITY = 1.5
FAITHFUL = 0.8
EVERYBODY = 0.05

MINUTES = 12.0
SUITS = 0.4

TYPED = {"exact": 0.45, "slip": 0.22, "prefix": 0.15, "plain": 0.06, "swapped": 0.06, "short": 0.06}
TITLE_ALONE = 0.65
TITLE_FIRST = 5 / 7
NICKNAME = 0.25
BESIDE_A_KIND = 0.4

MODEL = PositionBased(severity=0.5)
PAGE = 10
WRONG_CLICK = 0.02
SECOND_TRY = 0.35
SECOND_TRY_SECONDS = 30.0
