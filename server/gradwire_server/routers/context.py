"""What routes are given when the application is built."""

from __future__ import annotations

from dataclasses import dataclass

from ..compute import Compute
from ..documents import Documents
from ..draining import Draining
from ..metrics import Metrics
from ..services import Services
from ..session_work import SessionWork
from ..settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of one application.

    Attributes:
        settings: Its configuration.
        services: What it can do.
        documents: Reads the bodies of requests, and writes those of answers.
        compute: Where programs run.
        session_work: Where sessions work, in turn.
        metrics: Its numbers.
        draining: Whether it is about to stop.
    """

    settings: Settings
    services: Services
    documents: Documents
    compute: Compute
    session_work: SessionWork
    metrics: Metrics
    draining: Draining
