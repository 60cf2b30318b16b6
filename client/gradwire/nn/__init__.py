"""Neural networks (``torch.nn``): parameters, modules, losses, and the functions behind them.

Everything here is written against the operations that all recorders' tensors have in common, and holds no values: a module's
parameters are whatever tensors the context makes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._missing import missing
from . import functional, init, modules, parameter, utils
from .modules import *  # noqa: F403 - its __all__ is the list of modules
from .modules import __all__ as _modules
from .parameter import Buffer, Parameter

__all__ = ["Buffer", "Parameter", "functional", "init", "modules", "parameter", "utils", *_modules]

if not TYPE_CHECKING:
    # Type checkers would take it that every name is there.
    __getattr__ = missing(__name__)
