"""What a batch is answered by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a batch that was carried out, as far as it went.

    Attributes:
        status: The HTTP status: 200, or that of the problem by which an instruction failed.
        document: ``{"seq", "results"}``, with ``suspended`` where the last instruction waits for an answer from outside. After a
            failure the members of the problem, with ``seq``, ``instruction`` and ``results`` beside them. The ``data`` of every
            tensor is an array, which the session may go on to write once the answer was taken.
        headers: What else HTTP has to say, such as ``Retry-After``.
        error: What failed where it was the server and not the instruction, for the log; or what interrupted it from outside.
    """

    status: int
    document: dict[str, Any]
    headers: dict[str, str]
    error: BaseException | None
