"""UBI 1.3 events as OpenSearch's clients send them, and the query id that goes back."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from engine import Event
from service.fields import Id, Name, Text, Time

EXAMPLE: dict[str, JsonValue] = {
    "action_name": "click",
    "query_id": "0123456789abcdef0123456789abcdef",
    "client_id": "ann",
    "timestamp": "2026-11-26T12:00:00Z",
    "event_attributes": {
        "object": {"object_id": "track:imagine-dragons/believer", "object_id_field": "_id"},
        "position": {"ordinal": 1},
    },
}


class _Open(BaseModel):
    """The schema allows further fields everywhere."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)


class UbiObject(_Open):
    """What was acted on."""

    object_id: Id | None = None


class UbiPosition(_Open):
    """Where it stood, from 1."""

    ordinal: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class UbiAttributes(_Open):
    """`event_attributes`."""

    object: UbiObject = UbiObject()
    position: UbiPosition = UbiPosition()


class UbiEventIn(_Open):
    """One event. It needs the `query_id` of a search of ours, since feedback is given to what was shown;
    history without a search comes in by `ltrr import`."""

    model_config = ConfigDict(
        extra="allow", allow_inf_nan=False, json_schema_extra={"examples": [EXAMPLE]}
    )

    action_name: Name
    query_id: Annotated[Text, Field(max_length=128)]
    client_id: Id | None = None
    user_id: Id | None = None
    event_id: Id | None = None
    timestamp: Time | None = None
    event_attributes: UbiAttributes = UbiAttributes()

    def event(self) -> Event | None:
        """As the engine has it; None where it is about no document (a page was left, say)."""
        document = self.event_attributes.object.object_id
        if document is None:
            return None
        return Event(
            action=self.action_name,
            document=document,
            time=self.timestamp,
            position=self.event_attributes.position.ordinal,
            id=self.event_id,
            user=self.user_id or self.client_id,
            search=self.query_id,
        )
