"""The methods that tensors get from the op table, for type checkers and editors: see ``_methods.pyi``."""

from __future__ import annotations


class OpMethods:
    """Nothing at run time: the engine gives the methods to every tensor."""
