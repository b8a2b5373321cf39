"""Answers of the routes, as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Any

from service.schemas import SAID

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_COUNT = {"type": "integer", "minimum": 0}
_NUMBERS = {"type": "object", "additionalProperties": _NUMBER}
_COUNTS = {"type": "object", "additionalProperties": _COUNT}
_SOURCE = {
    "type": "object",
    "required": ["rank", "score"],
    "properties": {"rank": {"type": "integer", "minimum": 1}, "score": _NUMBER},
}
_HIT = {
    "type": "object",
    "required": ["rank", "id", "score", "title", "type", "text", "metadata", "sources"],
    "properties": {
        "rank": {"type": "integer", "minimum": 1},
        "id": _TEXT,
        "score": _NUMBER,
        "title": _TEXT,
        "type": {"type": ["string", "null"]},
        "text": _TEXT,
        "metadata": {"type": "object"},
        "sources": {
            "type": "object",
            "description": "The generators that found it, and where each had it",
            "additionalProperties": _SOURCE,
        },
    },
}
SEARCHED = {
    "type": "object",
    "required": [
        *("took", "impression_id", "query", "hits", "plan", "propensity", "candidates", "timings"),
        "notes",
    ],
    "properties": {
        "took": {"type": "number", "description": "Milliseconds, waiting included"},
        "impression_id": {
            "type": ["string", "null"],
            "description": "What feedback refers to; null for a preview",
        },
        "query": {
            "type": "object",
            "required": ["typed", "text", "reading"],
            "properties": {
                "typed": _TEXT,
                "text": {"type": "string", "description": "As it would stand alone"},
                "reading": {
                    "type": ["object", "null"],
                    "description": "What fields it was read as, and how probable that is",
                },
            },
        },
        "hits": {"type": "array", "items": _HIT},
        "plan": {**_COUNTS, "description": "Depth asked of each generator"},
        "propensity": {"type": ["number", "null"], "description": "Of the plan, when logged"},
        "candidates": _COUNT,
        "timings": _NUMBERS,
        "notes": {"type": "array", "items": _TEXT, "description": "What was degraded"},
        "explanation": {"type": "object"},
        "ext": {"type": "object", "description": "`ubi.query_id`: the impression's id"},
    },
}
_EXAMPLE_SEARCHED = {
    "took": 7.2,
    "impression_id": "0123456789abcdef0123456789abcdef",
    "query": {"typed": "beleiver", "text": "beleiver", "reading": None},
    "hits": [
        {
            "rank": 1,
            "id": "track:imagine-dragons/believer",
            "score": 0.84,
            "title": "Believer",
            "type": "track",
            "text": "",
            "metadata": {"type": "track", "artist": "Imagine Dragons"},
            "sources": {"fuzzy": {"rank": 1, "score": 0.9}},
        }
    ],
    "plan": {"bm25": 0, "fuzzy": 10, "dense": 3},
    "propensity": 0.95,
    "candidates": 12,
    "timings": {"plan": 0.4, "fuzzy": 1.1, "total": 6.0},
    "notes": [],
    "ext": {"ubi": {"query_id": "0123456789abcdef0123456789abcdef"}},
}
_SLOTS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "value", "start", "end"],
        "properties": {"name": _TEXT, "value": _TEXT, "start": _COUNT, "end": _COUNT},
    },
}
_ACTION = {
    "type": "object",
    "required": ["name", "arguments"],
    "properties": {
        "name": _TEXT,
        "arguments": {"type": "object", "additionalProperties": _TEXT},
    },
}
_TURN = {
    "type": "object",
    "required": ["speaker", "text", "entities", "slots"],
    "properties": {
        "speaker": {"enum": ["user", "system"]},
        "text": _TEXT,
        "entities": {"type": "array", "items": _TEXT},
        "slots": _SLOTS,
        "actions": {"type": "array", "items": _ACTION},
        "wants": _ACTION,
    },
}


def _answer(description: str, schema: Any, example: Any = None) -> dict[int | str, dict[str, Any]]:
    content: dict[str, Any] = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {200: {"description": description, "content": {"application/json": content}}}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Responses that are problems, for the routes that can give them."""
    content = {"application/problem+json": {"schema": PROBLEM}}
    titles = {
        400: "Not a request that can be read",
        401: "The token is missing or wrong",
        403: "From a page of another site",
        404: "Nothing of that name",
        405: "Not by this method",
        409: "Running already",
        413: "The body is too large",
        421: "Not a name of this server",
        422: "A field cannot be used; `errors` names it",
        500: "A bug; the server's log says more",
        503: "Not now; try again in a moment",
    }
    return {status: {"description": titles[status], "content": content} for status in statuses}


ANSWERS: dict[str, dict[int | str, dict[str, Any]]] = {
    "search": {
        **_answer("The results", SEARCHED, _EXAMPLE_SEARCHED),
        **problems(400, 403, 413, 421, 422, 503),
    },
    "chat": {
        **_answer(
            "What to do, what to say, and what was found",
            _object(
                reply={"type": "string", "description": "What to say"},
                actions={
                    "type": "array",
                    "items": _ACTION,
                    "description": "What to do: actions of the index's model of conversations, such as "
                    "search, refine or play with their arguments, and ask, ask_which, ask_more, stop and "
                    "others that every model has. Without a model one search",
                },
                about={
                    "type": "array",
                    "items": _object(id=_TEXT, text=_TEXT),
                    "description": "Of play the item, where one was found that fits; of ask_which those to "
                    "choose from (`/v1/chat/choice`)",
                },
                results={
                    "type": "array",
                    "items": SEARCHED,
                    "description": "The line's search; none where there was none",
                },
                turns={
                    "type": "array",
                    "items": _TURN,
                    "description": "To be appended to `context.turns` of the next line",
                },
                notes={"type": "array", "items": _TEXT, "description": "What was degraded"},
            ),
            {
                "reply": "Playing Believer by Imagine Dragons.",
                "actions": [{"name": "play", "arguments": {"track": "Believer"}}],
                "about": [
                    {
                        "id": "track:imagine-dragons/believer",
                        "text": "Believer by Imagine Dragons",
                    }
                ],
                "results": [_EXAMPLE_SEARCHED],
                "turns": SAID,
                "notes": [],
            },
        ),
        **problems(400, 403, 413, 421, 422, 503),
    },
    "missing": {
        **_answer(
            "The first reason that applies",
            _object(
                item=_TEXT,
                reason={
                    "enum": [
                        "shown",
                        "unknown",
                        "filtered",
                        "not_found",
                        "cut",
                        "pruned",
                        "outranked",
                    ]
                },
                message=_TEXT,
                ranks={"type": "object"},
                depths=_COUNTS,
                rank={"type": ["integer", "null"]},
                against=_NUMBERS,
            ),
        ),
        **problems(400, 403, 413, 421, 422, 503),
    },
    "feedback": {
        **_answer(
            "Recorded, and on the disk",
            _object(recorded=_COUNT, ignored=_COUNTS),
            {"recorded": 1, "ignored": {}},
        ),
        **problems(400, 403, 413, 421, 422),
    },
    "changed": {
        **_answer("Done, and on the disk", _object(documents=_COUNT), {"documents": 8822}),
        **problems(400, 401, 403, 413, 421, 422),
    },
    "read": {**_answer("As it is now", {"type": "object"}), **problems(404, 421, 503)},
    "learn": {
        **_answer("Done, where `wait` was asked for", {"type": "object"}),
        202: {
            "description": "It runs in the background; GET tells how far it is",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **problems(400, 401, 403, 404, 409, 413, 421, 422, 503),
    },
}
