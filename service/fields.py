"""The fields that requests are made of, with their limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


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
