"""Which version of the service answers."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

API: Final = "v1"


def package_version() -> str:
    """The version of the installed distribution, or ``"0+source"`` where the code runs without being installed."""
    try:
        return version("gradwire")
    except PackageNotFoundError:
        return "0+source"
