"""The names that the text of a plan uses: for what it calls, for its constants, its operands, and the arrays it writes to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import NumpyDType
from .evaluate import empty_like
from .held import Recipe
from .ir import Graph, Step, Term, is_dense, is_splat, splat_value
from .places import Places
from .scalars import number_of


class Names:
    """The text of a plan while it is being written, and what its names mean.

    Args:
        graph: What the plan computes.

    Attributes:
        names: What the text refers to.
        recipe: The memory that the plan keeps.
        constant_bytes: The bytes of the constants, and of what long runs keep for a block.
    """

    def __init__(self, graph: Graph) -> None:
        self.constant_bytes = 0
        self.names: dict[str, Any] = {}
        self._graph = graph
        self._places = Places(graph)
        self.recipe = Recipe(self._places.sizes)
        self._lines: list[str] = []
        self._held: list[str] = []
        self._names: dict[Term, str] = {}
        self._arrays_of_numbers: dict[Term, str] = {}
        self._held_index: dict[str, int] = {}
        self._bound: dict[Any, str] = {}
        self._number_operands: dict[Any, str] = {}
        self._count = 0
        for position, term in enumerate(graph.inputs):
            self._names[term] = f"x{position}"
            if not term.shape:
                name = self._names[term] = self._fresh("s")
                self._line(f"{name} = x{position}{'.item()' if term.dtype == np.float64 else '[()]'}")

    def _fresh(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def _bind(self, value: Any, letter: str = "k", key: Any = None) -> str:
        """A name for something that the text refers to."""
        if key is None:
            key = id(value)
        found = self._bound.get(key)
        if found is None:
            found = self._bound[key] = self._fresh(letter)
            self.names[found] = value
        return found

    def function(self, function: Any) -> str:
        """The name of a function of NumPy's."""
        name = str(function.__name__)
        if self.names.setdefault(name, function) is function:
            return name
        return self._bind(function, key=("f", function))

    def _known(self, name: str, value: Any) -> str:
        self.names[name] = value
        return name

    def _line(self, text: str) -> None:
        self._lines.append(text)

    # Operands.

    def number(self, item: Any) -> str:
        """An operand of no dimensions, as a number."""
        if type(item) is not Term:
            return self._literal(item)
        if item.constant is not None:
            return self._literal(number_of(item.constant))
        return self._names[item]

    def _literal(self, value: Any) -> str:
        if type(value) in (bool, int):
            return repr(value) if -(2**62) < value < 2**62 else self._bind(value, "n", ("n", value))
        if type(value) is float and math.isfinite(value):
            return repr(value) if value >= 0 and not (value == 0 and math.copysign(1, value) < 0) else f"({value!r})"
        return self._bind(value, "n", ("n", type(value), repr(value)))

    def array(self, item: Any, step: Step | None = None) -> str:
        """An operand as an array; a Python number may stay one."""
        if type(item) is not Term:
            return self._number_operand(item, step)
        if item.constant is not None:
            return self._constant(item, splats=step is None or step.kind != "elementwise")
        if item.shape:
            return self._names[item]
        found = self._arrays_of_numbers.get(item)
        if found is None:
            found = self._arrays_of_numbers[item] = self._hold("z", self.recipe.add_number(item))
            self._line(f"{found}[()] = {self._names[item]}")
        return found

    def _number_operand(self, value: Any, step: Step | None) -> str:
        """A Python number beside arrays: as an array of their dtype, which a ufunc takes faster, where it means the same."""
        dtypes = frozenset([a.dtype for a in step.args if type(a) is Term] if step is not None else ())
        key = (dtypes, type(value), repr(value))
        found = self._number_operands.get(key)
        if found is None:
            found = self._number_operands[key] = self._number_beside(value, dtypes)
        return found

    def _number_beside(self, value: Any, dtypes: frozenset[NumpyDType]) -> str:
        if len(dtypes) == 1:
            (dtype,) = dtypes
            if dtype.kind in "fc" and type(value) in (int, float) and np.result_type(dtype, type(value)(0)) == dtype:
                with np.errstate(over="ignore"):
                    made = np.asarray(value, np.float64).astype(dtype)
                return self._bind(made, "c", ("a", dtype, made.tobytes()))
        return self._literal(value)

    def _constant(self, term: Term, *, splats: bool) -> str:
        assert term.constant is not None
        if not splats and is_splat(term):
            return self._bind(splat_value(term), "c", ("a", term.dtype, splat_value(term).tobytes()))
        name = self._bind(term.constant, "c")
        if term.constant.size and not is_splat(term):
            self.constant_bytes += term.constant.nbytes
        return name

    def _hold(self, letter: str, index: int) -> str:
        """The name of an array of the set, by its number."""
        if index < len(self._held):
            return self._held[index]
        name = self._fresh(letter)
        self._held.append(name)
        self._held_index[name] = index
        return name

    # Results.

    def target(self, out: Term) -> str:
        """The array that a call writes ``out`` to, which has a name from now on."""
        name = self._names.get(out)
        if name is not None:
            return name
        places = self._places
        root = places.root.get(out, out)
        if root is not out:
            self._names[out] = self._names[root]
        elif places.home[out] == "held":
            self._names[out] = self._hold("t", self.recipe.add_array(out, places.buffer[out]))
        else:
            name = self._names[out] = self._fresh("o")
            if is_dense(out):
                self._known("empty", np.empty)
                self._line(f"{name} = empty({out.shape!r}, {self.dtype(out.dtype)})")
            else:
                self._known("empty_like", empty_like)
                self._line(f"{name} = empty_like({self._bind(out)})")
        return self._names[out]

    def dtype(self, dtype: Any) -> str:
        """The name of a dtype."""
        return self._bind(dtype, "d", ("d", dtype))
