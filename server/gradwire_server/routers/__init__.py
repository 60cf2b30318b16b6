"""HTTP and nothing else: each module has the routes of one part of the interface, and what they answer comes from the services."""

from __future__ import annotations
