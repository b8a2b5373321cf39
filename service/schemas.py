"""What comes in, checked before the engine sees it; with the examples of the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from conversation.base import AnnotatedTurn
from engine import Context, Document, Event
from service.fields import Id, Name, Query, Results, Strict, Text, Time, Value
from service.turns import TurnIn

MOST_FILTERS = 20
USER = "ann"
SHORT: dict[str, JsonValue] = {
    "impression_id": "0123456789abcdef0123456789abcdef",
    "clicks": ["track:imagine-dragons/believer"],
}
"""Feedback in its short form."""
SAID: list[JsonValue] = [
    {
        "speaker": "user",
        "text": "believer",
        "entities": ["Believer"],
        "slots": [{"name": "track", "value": "Believer", "start": 0, "end": 8}],
        "wants": {"name": "play", "arguments": {"track": "Believer"}},
    },
    {
        "speaker": "system",
        "text": "Playing Believer by Imagine Dragons.",
        "entities": ["Believer", "Imagine Dragons"],
        "slots": [
            {"name": "track", "value": "Believer", "start": 8, "end": 16},
            {"name": "artist", "value": "Imagine Dragons", "start": 20, "end": 35},
        ],
        "actions": [{"name": "play", "arguments": {"track": "Believer"}}],
    },
]
"""The turns of an answer."""


class ContextIn(Strict):
    """What is known of a search besides its text. `filters`: any of a list's values, all fields."""

    user: Annotated[Id | None, Field(examples=[USER])] = None
    turns: list[TurnIn] = Field(default_factory=list)
    time: Time | None = None
    locale: Annotated[Name | None, Field(examples=["en-GB"])] = None
    filters: dict[Name, Value | Annotated[list[Value], Field(max_length=100)]] = Field(
        default_factory=dict, max_length=MOST_FILTERS, examples=[{"type": "track"}]
    )
    attributes: dict[Name, Value | float] = Field(default_factory=dict, max_length=50)

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

    def annotated(self) -> tuple[AnnotatedTurn, ...]:
        """The turns with what they mean."""
        return tuple(turn.annotated() for turn in self.turns)


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
    """A turn of a conversation. `context.turns` are those before it: the `turns` of every answer so far,
    one after the other; nothing about a conversation is kept on the server."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "believer", "k": 5},
                {"text": "play their latest album", "context": {"turns": SAID}},
            ]
        },
    )

    text: Query
    context: ContextIn = ContextIn()
    k: Results = 10


class ChoiceIn(Strict):
    """A result or a choice of an answer that is taken; recorded as a click on it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "impression_id": SHORT["impression_id"],
                    "item": "track:imagine-dragons/believer",
                }
            ]
        },
    )

    impression_id: Annotated[Text, Field(max_length=128)]
    item: Id


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
    clicks: list[Id] = Field(default_factory=list)
    events: list[EventIn] = Field(default_factory=list)


class DocumentIn(Strict):
    """A document in BEIR's layout; `metadata.type` is its type."""

    model_config = ConfigDict(populate_by_name=False)

    id: Annotated[Id, Field(alias="_id")]
    title: Text = ""
    text: Text = ""
    metadata: dict[Name, JsonValue] = Field(default_factory=dict)

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
