"""Logging: one JSON object a line on standard error, for our own messages and for those of the libraries beneath."""

from __future__ import annotations

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import structlog

from .settings import Settings

Logger = structlog.typing.FilteringBoundLogger

# Where it happened is in the last of them; who called is in the access log.
_MOST_FRAMES: Final = 50
_MOST_CHARACTERS: Final = 16 * 1024


def _traceback(exc_info: structlog.typing.ExcInfo) -> str:
    """The traceback in plain text. It never shows values: writing a local list of a million numbers takes seconds."""
    text = "".join(traceback.format_exception(*exc_info, limit=-_MOST_FRAMES)).rstrip("\n")
    if len(text) > _MOST_CHARACTERS:
        half = _MOST_CHARACTERS // 2
        text = f"{text[:half]}\n... {len(text) - 2 * half} characters are left out here ...\n{text[-half:]}"
    return text


_SHARED: Final[list[structlog.typing.Processor]] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.ExceptionRenderer(_traceback),
]


# The least level of lines in JSON; None while lines are not JSON.
_json_level: int | None = None


def get_logger(name: str) -> Logger:
    """A logger whose messages carry ``name`` as their component."""
    logger: Logger = structlog.get_logger(component=name)
    return logger


def configure_logging(settings: Settings) -> None:
    """Sets up structlog and the standard library's logging for the whole process."""
    global _json_level
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    _json_level = level if settings.log_format == "json" else None
    if settings.log_format == "json":
        render: list[structlog.typing.Processor] = [_to_json_bytes]
        library: list[structlog.typing.Processor] = [_to_json_text]
        factory: Any = structlog.BytesLoggerFactory(sys.stderr.buffer)
    else:
        render = library = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
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


class AccessLines:
    """Writes the lines about requests: what structlog would write, in a fraction of the time where that is JSON.

    Args:
        name: The component that they are from.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._log = get_logger(name)

    def write(self, fields: dict[str, Any], *, quietly: bool = False) -> None:
        """Writes a line.

        Args:
            fields: What it says.
            quietly: Whether it is of level debug, and not of level info.
        """
        level = "debug" if quietly else "info"
        if _json_level is None:
            getattr(self._log, level)("request", **fields)
        elif (logging.DEBUG if quietly else logging.INFO) >= _json_level:
            line = _to_json_bytes(
                None, level, {"component": self._name, **fields, "event": "request", "level": level, "timestamp": datetime.now(UTC)}
            )
            # One write, so that the lines of several threads stay apart.
            out = sys.stderr.buffer
            out.write(line + b"\n")
            out.flush()


def _to_json_bytes(_logger: Any, _method: str, event: structlog.typing.EventDict) -> bytes:
    try:
        return orjson.dumps(event, default=repr, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:
        # A path or a message may hold text that is no valid Unicode; a line that says so is better than none.
        return orjson.dumps({str(key): repr(value) for key, value in event.items()})


def _to_json_text(logger: Any, method: str, event: structlog.typing.EventDict) -> str:
    return _to_json_bytes(logger, method, event).decode()
