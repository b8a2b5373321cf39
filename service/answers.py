"""What the engine answers, as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.responses import Response as HttpResponse

from engine import Response
from engine.plain import plain

JSON = "application/json"


def as_json(content: Any, status: int = 200) -> HttpResponse:
    """A JSON response; what JSON lacks becomes null."""
    try:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(plain(content), ensure_ascii=False, separators=(",", ":"))
    return HttpResponse(text.encode("utf-8", "replace"), status, media_type=JSON)


def search_to_json(response: Response, took: float) -> dict[str, Any]:
    """Everything a search tells; `took`: milliseconds, waiting for a free worker included."""
    found: dict[str, Any] = {
        "took": round(took, 2),
        "impression_id": response.impression_id or None,
        "query": {
            "typed": response.query.typed,
            "text": response.query.text,
            "reading": plain(response.query.readings[0]) if response.query.readings else None,
        },
        "hits": [
            {
                "rank": hit.rank,
                "id": hit.id,
                "score": hit.score,
                "title": hit.document.title,
                "type": hit.document.type,
                "text": hit.document.text,
                "metadata": dict(hit.document.metadata),
                "sources": {
                    name: {"rank": source.rank, "score": source.score}
                    for name, source in hit.sources.items()
                },
                **({"team": hit.team} if hit.team else {}),
            }
            for hit in response.hits
        ],
        "plan": dict(response.plan),
        "propensity": None if math.isnan(response.propensity) else response.propensity,
        "candidates": response.candidates,
        "timings": {name: round(ms, 3) for name, ms in response.timings.items()},
        "notes": list(response.notes),
    }
    if response.impression_id:
        found["ext"] = {"ubi": {"query_id": response.impression_id}}
    if response.explanation is not None:
        found["explanation"] = plain(response.explanation)
    return found
