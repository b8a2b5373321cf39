"""What comes in, checked before the engine sees it; with the examples of the OpenAPI document."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from engine import Context, Document, Event, Turn

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
MOST_FILTERS = 20
USER = "ann"
SHORT: dict[str, JsonValue] = {
    "impression_id": "0123456789abcdef0123456789abcdef",
    "clicks": ["track:imagine-dragons/believer"],
}
"""Feedback in its short form."""


def _in_range(time: datetime) -> datetime:
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    if not EARLIEST <= aware <= LATEST:
        raise ValueError(f"expected a time between {EARLIEST.year} and {LATEST.year}")
    return aware


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character; probably not text")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
Id = Annotated[Text, Field(min_length=1, max_length=512)]
Name = Annotated[Text, Field(min_length=1, max_length=100)]
Value = Annotated[Text, Field(max_length=512)]
Time = Annotated[datetime, AfterValidator(_in_range)]
Query = Annotated[Text, Field(description="Words, as typed. An empty one gives what is popular.")]
Results = Annotated[int, Field(ge=1, description="How many results.")]


class Strict(BaseModel):
    """A body whose unknown fields are refused: a misspelt one would be ignored silently."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class TurnIn(Strict):
    """One utterance so far; `entities`: the names in it."""

    speaker: Literal["user", "system"]
    text: Annotated[Text, Field(max_length=2_000)]
    entities: Annotated[list[Id], Field(max_length=100)] = []

    def turn(self) -> Turn:
        """As the engine has it."""
        return Turn(self.speaker, self.text, tuple(self.entities))


class ContextIn(Strict):
    """What is known of a search besides its text. `filters`: any of a list's values, all fields."""

    user: Annotated[Id | None, Field(examples=[USER])] = None
    turns: list[TurnIn] = []
    time: Time | None = None
    locale: Annotated[Name | None, Field(examples=["en-GB"])] = None
    filters: Annotated[
        dict[Name, Value | Annotated[list[Value], Field(max_length=100)]],
        Field(max_length=MOST_FILTERS, examples=[{"type": "track"}]),
    ] = {}
    attributes: Annotated[dict[Name, Value | float], Field(max_length=50)] = {}

    def context(self) -> Context:
        """As the engine has it."""
        return Context(
            user=self.user,
            turns=tuple(turn.turn() for turn in self.turns),
            time=self.time,
            locale=self.locale,
            filters={k: v if isinstance(v, str) else tuple(v) for k, v in self.filters.items()},
            attributes=self.attributes,
        )


class UbiIn(BaseModel):
    """What OpenSearch's UBI clients send with a search (`ext.ubi`). A `query_id` of yours becomes the
    impression's id: a UUID, since whoever knows it may give feedback."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    query_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{16,128}$")] | None = None
    client_id: Id | None = None


class ExtIn(BaseModel):
    """Extensions of a search, as OpenSearch has them."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    ubi: UbiIn = UbiIn()


class SearchIn(Strict):
    """A search. `preview`: not logged, for what is shown while somebody types; feedback needs another,
    logged one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"query": "beleiver", "k": 5},
                {
                    "query": "sad songs",
                    "context": {"user": USER, "filters": {"type": ["track", "album"]}},
                    "k": 10,
                    "explain": True,
                },
            ]
        },
    )

    query: Query
    context: ContextIn = ContextIn()
    k: Results = 10
    explain: bool = False
    preview: bool = False
    ext: ExtIn = ExtIn()


class ChatIn(Strict):
    """A turn of a conversation; `context.turns` are those before it: each
    user's turn, and the `turn` of its answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "something calm for the evening", "k": 5},
                {
                    "text": "more by her",
                    "context": {
                        "turns": [
                            {"speaker": "user", "text": "björk"},
                            {
                                "speaker": "system",
                                "text": "I found Army of Me by Björk.",
                                "entities": ["Army of Me", "Björk"],
                            },
                        ]
                    },
                },
            ]
        },
    )

    text: Query
    context: ContextIn = ContextIn()
    k: Results = 10


class MissingIn(Strict):
    """Why is `item` not among the first k for this query? Nothing is logged."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "believer", "item": "artist:bjork"}]}
    )

    query: Query
    item: Id
    context: ContextIn = ContextIn()
    k: Results = 10


class EventIn(Strict):
    """What was done with one result. Events with the same `id` count once."""

    action: Annotated[Name, Field(examples=["play"])]
    document: Id
    time: Time | None = None
    position: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    weight: Annotated[float, Field(ge=-1_000, le=1_000)] = 1.0
    id: Id | None = None
    user: Id | None = None

    def event(self) -> Event:
        """As the engine has it."""
        return Event(**self.model_dump())


class FeedbackIn(Strict):
    """The short form: ids that were clicked, and events."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [SHORT]},
    )

    impression_id: Annotated[Text, Field(max_length=128)]
    clicks: list[Id] = []
    events: list[EventIn] = []


class DocumentIn(Strict):
    """A document in BEIR's layout; `metadata.type` is its type."""

    model_config = ConfigDict(populate_by_name=False)

    id: Annotated[Id, Field(alias="_id")]
    title: Text = ""
    text: Text = ""
    metadata: dict[Name, JsonValue] = {}

    def document(self) -> Document:
        """As the engine has it."""
        kind = self.metadata.get("type")
        type = None if kind is None else str(kind)
        metadata: dict[str, Any] = dict(self.metadata)
        return Document(self.id, self.title, self.text, type, metadata)


class DocumentsIn(Strict):
    """Documents to add, all or nothing."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "documents": [
                        {
                            "_id": "track:new",
                            "title": "A New Song",
                            "metadata": {"type": "track", "artist": "Somebody"},
                        }
                    ]
                }
            ]
        },
    )

    documents: Annotated[list[DocumentIn], Field(min_length=1)]


class IdsIn(Strict):
    """Ids of documents to remove, all or nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": ["track:new"]}]})

    ids: Annotated[list[Id], Field(min_length=1)]


class LearnIn(Strict):
    """`wait`: answer when it is done, with what was learnt."""

    wait: bool = False


class SimulateIn(Strict):
    """How many searches listeners make."""

    searches: Annotated[int, Field(ge=10, le=20_000)] = 1_000
