"""What functions may take."""

from __future__ import annotations

from dataclasses import dataclass, field

from gradwire_engine.limits import Limits


@dataclass(frozen=True, slots=True)
class FunctionLimits:
    """Upper bounds on functions.

    Attributes:
        functions: Number of functions that are kept, all versions counted.
        owner_functions: Number of those that one caller may have.
        function_bytes: Size of the document of one, in JSON.
        functions_bytes: Size of the documents of all together.
        definitions_bytes: Size of the functions that are kept ready to be called, read from their documents.
        plans_bytes: Size of the plans that are kept, each of a function for shapes of inputs and what is asked for.
        program: What a program may cost when it is put; what a call may cost is said with the call.
    """

    functions: int = 10_000
    owner_functions: int = 1_000
    function_bytes: int = 2**20
    functions_bytes: int = 2**30
    definitions_bytes: int = 2**28
    plans_bytes: int = 2**28
    program: Limits = field(default_factory=Limits)
