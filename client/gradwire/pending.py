"""Instructions on their way to a session, and the lines of the user's code that they come from."""

from __future__ import annotations

import linecache
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

import gradwire_engine
from gradwire_engine.errors import GradwireError

_OURS: Final = (str(Path(__file__).parent), str(Path(gradwire_engine.__file__).parent))

Place = tuple[str, int]


class Pending:
    """An instruction on its way.

    Attributes:
        instruction: What is sent.
        defines: The names that it gives to tensors.
        uses: The names that it needs.
        spoils: The names that are worth nothing if it fails, although it does not define them.
        place: The file and line of the user's code that recorded it.
        loud: Its failure is raised even if nothing depends on it.
        result: What was answered.
        error: Why it was not carried out.
    """

    __slots__ = ("defines", "error", "instruction", "loud", "place", "result", "spoils", "uses")

    def __init__(
        self,
        instruction: dict[str, Any],
        defines: Sequence[str] = (),
        uses: Sequence[str] = (),
        spoils: Sequence[str] = (),
        loud: bool = False,
    ) -> None:
        self.instruction = instruction
        self.defines = defines
        self.uses = uses
        self.spoils = spoils
        self.place = caller()
        self.loud = loud
        self.result: Any = None
        self.error: GradwireError | None = None


class Batch:
    """Instructions that are sent together.

    Attributes:
        pending: The instructions.
        trouble: Why there is no answer yet.
        done: Set once there is an answer, or trouble.
    """

    __slots__ = ("done", "pending", "trouble")

    def __init__(self, pending: list[Pending]) -> None:
        self.pending = pending
        self.trouble: GradwireError | None = None
        self.done = threading.Event()


def caller() -> Place | None:
    """The file and line in the innermost frame that is not Gradwire's own."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(_OURS):
            return filename, frame.f_lineno
        frame = frame.f_back
    return None


def recorded_at(place: Place) -> str:
    """The place in the words of a traceback."""
    filename, line = place
    text = linecache.getline(filename, line).strip()
    return f'Recorded at File "{filename}", line {line}' + (f": {text}" if text else "")
