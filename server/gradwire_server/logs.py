"""Logging: one JSON object a line on standard error, for our own messages and for those of the libraries beneath."""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

import orjson
import structlog

from .settings import Settings

Logger = structlog.typing.FilteringBoundLogger

_SHARED: Final[list[structlog.typing.Processor]] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def get_logger(name: str) -> Logger:
    """A logger whose messages carry ``name`` as their component."""
    logger: Logger = structlog.get_logger(component=name)
    return logger


def configure_logging(settings: Settings) -> None:
    """Sets up structlog and the standard library's logging for the whole process."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    if settings.log_format == "json":
        render: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, _to_json_bytes]
        library: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, _to_json_text]
        factory: Any = structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
        render = library = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        factory = structlog.PrintLoggerFactory(sys.stderr)
    structlog.configure(
        processors=[*_SHARED, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_SHARED],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *library],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def _to_json_bytes(_logger: Any, _method: str, event: structlog.typing.EventDict) -> bytes:
    try:
        return orjson.dumps(event, default=repr)
    except orjson.JSONEncodeError:
        # A path or a message may hold text that is no valid Unicode; a line that says so is better than none.
        return orjson.dumps({str(key): repr(value) for key, value in event.items()})


def _to_json_text(logger: Any, method: str, event: structlog.typing.EventDict) -> str:
    return _to_json_bytes(logger, method, event).decode()
