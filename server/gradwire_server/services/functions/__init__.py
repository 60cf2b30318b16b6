"""Functions that are registered once and called many times."""

from __future__ import annotations
