"""Which paths stand outside the rules for calls."""

from __future__ import annotations

from typing import Final

PROBES: Final = frozenset({"/healthz", "/readyz"})
DOCUMENTATION: Final = frozenset({"/", "/docs", "/openapi.json"})


def is_public(path: str) -> bool:
    """Whether ``path`` is answered without an API key: probes, and what explains the service."""
    return path in PROBES or path in DOCUMENTATION or path.startswith("/docs/")


def is_call(path: str) -> bool:
    """Whether ``path`` is work, which counts against the limit on requests in flight."""
    return path.startswith("/v1/")
