"""Where sessions are kept, and the records of their batches."""

from __future__ import annotations
