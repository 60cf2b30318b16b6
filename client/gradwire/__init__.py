"""Gradwire's client: torch's names for tensors that live on a Gradwire server, or in this process."""

from __future__ import annotations

__version__ = "0.1.0"
