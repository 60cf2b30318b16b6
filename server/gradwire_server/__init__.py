"""The HTTP service around the engine.

Routers do HTTP and nothing else, services know nothing of HTTP, and :mod:`gradwire_server.errors` alone says which
exception becomes which status.
"""

from __future__ import annotations
