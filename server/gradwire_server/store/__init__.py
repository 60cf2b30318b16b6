"""Where sessions are kept with the records of their batches, and functions with their versions."""

from __future__ import annotations
