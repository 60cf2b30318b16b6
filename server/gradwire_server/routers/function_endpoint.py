"""What the endpoints of functions are given."""

from __future__ import annotations

from .context import Context


class FunctionEndpoint:
    """An endpoint that works with functions.

    Args:
        context: The application's parts.
    """

    def __init__(self, context: Context) -> None:
        self._settings = context.settings
        self._functions = context.services.functions
        self._compute = context.compute
        self._documents = context.documents
