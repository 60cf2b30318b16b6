"""Instructions that set the modes of a session."""

from __future__ import annotations

from typing import Final

from gradwire_engine.dtypes import default_dtype, dtype_of, set_default_dtype
from gradwire_engine.errors import GradwireError
from gradwire_engine.modes import manual_seed

from .table import Run, Spec, instruction


def seed(run: Run, spec: Spec, at: str) -> None:
    """Starts the random numbers of the session anew."""
    try:
        manual_seed(spec["value"])
    except GradwireError as error:
        raise error.at(at + "/value") from None


def dtype(run: Run, spec: Spec, at: str) -> None:
    """Sets the dtype of floats that have none."""
    try:
        set_default_dtype(spec["value"])
    except GradwireError as error:
        raise error.at(at + "/value") from None
    run.session.dtype = dtype_of(default_dtype()).name


INSTRUCTIONS: Final = {"seed": instruction(seed, "value"), "default_dtype": instruction(dtype, "value")}
"""The instructions of this module."""
