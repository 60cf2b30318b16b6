"""Parameters that several calls share, as OpenAPI has them."""

from __future__ import annotations

from typing import Any, Final

from ..negotiation import ENCODINGS

ENCODING: Final[dict[str, Any]] = {
    "name": "encoding",
    "in": "query",
    "required": False,
    "description": "How tensors are written in the answer: as nested lists, or as the base64 of little-endian bytes, which is shorter and "
    "quicker for large ones.",
    "schema": {"type": "string", "enum": list(ENCODINGS), "default": ENCODINGS[0]},
}

REQUEST_TIMEOUT: Final[dict[str, Any]] = {
    "name": "Request-Timeout",
    "in": "header",
    "required": False,
    "description": "Seconds after which the caller no longer needs the answer. It can only shorten the server's own limit; the answer "
    "is then status 504.",
    "schema": {"type": "number", "exclusiveMinimum": 0},
}

DRY_RUN: Final[dict[str, Any]] = {
    "name": "dry_run",
    "in": "query",
    "required": False,
    "description": "Compute nothing, and answer what the call would give and take: shapes and dtypes, the number of operations, memory, "
    "and whether that is within the limits.",
    "schema": {"type": "boolean", "default": False},
}
