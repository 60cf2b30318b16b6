"""Programs as text: a strict subset of torch's Python, read without ever being executed, and programs written as such text.

``scan`` refuses what is too long or too deep before Python's own parser sees it, ``expressions`` and ``statements`` turn the syntax
tree into the nodes that ``parse`` reads, ``source`` knows where in the text each of them stands.
"""

from __future__ import annotations

from .read import read_program as read_program
from .source import Source as Source
from .write import write_text as write_text

__all__ = ["Source", "read_program", "write_text"]
