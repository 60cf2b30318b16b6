"""From a graph to straight-line Python that calls NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from ..dtypes import Array
from ..stopping import check
from .chunks import InChunks
from .evaluate import run_kernel_step
from .ir import Graph, Kind, Step, Term, is_dense, is_splat, splat_value, take, take_known
from .names import Names
from .parts import split
from .scalars import number_expression, number_of

_CHECKED: Final = 1 << 20
"""The operations on numbers, a millisecond's worth or so, after which it is looked whether the result is still wanted."""
_KERNEL_EFFORT: Final = 16
"""How many operations a kernel is taken to do for each element."""

_WRITERS: Final[dict[Kind, str]] = {
    "elementwise": "_elementwise",
    "reduce": "_reduce",
    "matmul": "_matmul",
    "view": "_view",
    "copy": "_copy",
    "put": "_region",
    "add_at": "_region",
    "join": "_join",
    "kernel": "_kernel",
    "run": "_run",
}


class Source(Names):
    """The text of a plan and what its names mean.

    Args:
        graph: What the plan computes.

    Attributes:
        texts: The Python, in parts of which none is long.
        calls: The number of NumPy calls.
        peak_bytes: The most memory that one call takes: what is kept, and what it hands out or kernels make; not what these take meanwhile.
        asks_context: Whether something in it asks the caller's context, for a generator or a default dtype.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        self.calls = 0
        self.asks_context = any(s.kind == "kernel" and (s.function.random or s.function.creation) for s in graph.steps)
        self._unchecked = 0
        made = 0
        home = self._places.home
        for step, ends in zip(graph.steps, self._places.ends, strict=True):
            self._step(step)
            for out in step.outs:
                if home.get(out) in ("made", "output"):
                    made += out.nbytes
            gone = [self._names[r] for r in ends if home.get(r) == "made" and r in self._names]
            if gone:
                self._line(f"{' = '.join(gone)} = None")
        self.peak_bytes = sum(self._places.sizes) + made
        self.texts = self._texts(self._results())

    # Steps.

    def _call(self, text: str, steps: int = 1) -> None:
        self.calls += steps
        self._lines.append(text)

    def _step(self, step: Step) -> None:
        self._unchecked += _effort_of(step)
        if self._unchecked >= _CHECKED:
            self._unchecked = 0
            self._known("check", check)
            self._line("check()")
        getattr(self, _WRITERS[step.kind])(step)

    def _elementwise(self, step: Step) -> None:
        if not step.out.shape:
            self.calls += 1
            names = [self._new(out) for out in step.outs]
            self._line(f"{', '.join(names)} = {number_expression(step, self)}")
        elif step.function is np.where:
            self._choice(step)
        else:
            known = self._names
            operands = [known[a] if type(a) is Term and a.shape and a.constant is None else self.array(a, step) for a in step.args]
            options = "".join([f", {key}={self.option(value)}" for key, value in step.how]) if step.how else ""
            if len(step.outs) == 1 and self._made_by_itself(step):
                self._call(f"{self._new(step.out)} = {self.function(step.function)}({', '.join(operands)}{options})")
                return
            targets = [self.target(out) for out in step.outs]
            if step.function in (np.maximum, np.minimum):
                targets = [f"out={targets[0]}"]  # which NumPy does not take by position
            self._call(f"{self.function(step.function)}({', '.join([*operands, *targets])}{options})")

    def _new(self, out: Term) -> str:
        name = self._names[out] = self._fresh("s" if not out.shape else "o")
        return name

    def option(self, value: Any) -> str:
        """The value of a keyword argument."""
        return self.dtype(value) if isinstance(value, np.dtype) else repr(value)

    def _made_by_itself(self, step: Step) -> bool:
        """Whether an array that is handed out may be made by the call, because it would have the layout that is promised."""
        out = step.out
        if self._places.home.get(out) != "output" or not is_dense(out):
            return False
        arrays = [a for a in step.args if type(a) is Term and a.shape]
        return all(is_dense(a) for a in arrays) and any(a.shape == out.shape and not is_splat(a) for a in arrays)

    def _choice(self, step: Step) -> None:
        condition, chosen, other = step.args
        out = step.out
        if self._places.home.get(out) == "made":
            self._known("where", np.where)
            operands = [self.array(a) for a in step.args]
            self._call(f"{self._new(out)} = where({', '.join(operands)})")
            return
        first = self.array(other, step)
        second = self.array(chosen, step)
        mask = self.array(condition)
        target = self.target(out)
        self._known("copyto", np.copyto)
        self._call(f"copyto({target}, {first})")
        self._call(f"copyto({target}, {second}, where={mask})")

    def _reduce(self, step: Step) -> None:
        options = step.options()
        axis, dtype, keepdims = options.pop("axis"), options.pop("dtype"), options.pop("keepdims")
        name = f"{step.function.__name__}_reduce"
        self._known(name, step.function.reduce)
        tail = f"{axis!r}, {'None' if dtype is None else self.dtype(dtype)}"
        extra = "".join(f", {key}={self._literal(value)}" for key, value in options.items())
        if not step.out.shape:
            operand = self.array(step.args[0])
            text = f"{name}({operand}, {tail}, None, {keepdims}{extra})"
            self._call(f"{self._new(step.out)} = {text}{'[()]' if not step.args[0].shape else ''}")
            return
        operand = self.array(step.args[0])
        if self._places.home.get(step.out) == "output":
            self._call(f"{self._new(step.out)} = {name}({operand}, {tail}, None, {keepdims}{extra})")
        else:
            self._call(f"{name}({operand}, {tail}, {self.target(step.out)}, {keepdims}{extra})")

    def _matmul(self, step: Step) -> None:
        operands = [self.array(a) for a in step.args]
        self._known("matmul", np.matmul)
        if not step.out.shape:
            self._known("dot", np.dot)
            self._call(f"{self._new(step.out)} = dot({', '.join(operands)})")
        elif self._places.home.get(step.out) == "output":
            self._call(f"{self._new(step.out)} = matmul({', '.join(operands)})")
        else:
            self._call(f"matmul({', '.join(operands)}, {self.target(step.out)})")

    def _view(self, step: Step) -> None:
        source, out, how = step.args[0], step.out, step.how
        if source.constant is not None:
            found = take_known(how, source)
            self._names[out] = self._bind(found, "c", ("v", id(step))) if out.shape else self._literal(number_of(found))
            return
        name = self.array(source)
        if out.shape and name in self._held_index:
            self._names[out] = self._hold("v", self.recipe.add_view(self._held_index[name], how))
            return
        text = self._taken(name, how)
        if not out.shape:
            self._line(f"{self._new(out)} = {text}{'.item()' if out.dtype == np.float64 else '[()]'}")
            return
        self._names[out] = self._fresh("v")
        self._line(f"{self._names[out]} = {text}")

    def _taken(self, name: str, how: Any) -> str:
        kind, what = how
        if kind == "getitem":
            return f"{name}[{self._bind(what)}]"
        if kind == "reshape":
            return f"{name}.reshape({what!r})"
        if kind == "transpose":
            return f"{name}.T" if what == tuple(range(len(what)))[::-1] else f"{name}.transpose({what!r})"
        if kind in ("real", "imag"):
            return f"{name}.{kind}"
        self._known("take", take)
        return f"take({self._bind(how)}, {name})"

    def _copy(self, step: Step) -> None:
        source, out = step.args[0], step.out
        if not out.shape:
            self._line(f"{self._new(out)} = {number_expression(step, self)}")
            return
        operand = self.array(source)
        self._known("copyto", np.copyto)
        casting = "" if np.can_cast(source.dtype, out.dtype, "same_kind") else ", 'unsafe'"
        self._call(f"copyto({self.target(out)}, {operand}{casting})")

    def _region(self, step: Step) -> None:
        base, value = step.args
        out = step.out
        operand = self.number(value) if not value.shape else self.array(value)
        in_place = self._places.root_of(out) is not out
        start = None if in_place else self.array(base)
        target = self.target(out)
        if in_place:
            self._names[out] = target
        elif is_splat(base):
            self._call(f"{target}.fill({self._literal(number_of(splat_value(base)))})")
        else:
            self._known("copyto", np.copyto)
            self._call(f"copyto({target}, {start})")
        region = target
        for how in step.how:
            if region in self._held_index:
                region = self._hold("r", self.recipe.add_view(self._held_index[region], how))
            else:
                name = self._fresh("r")
                self._line(f"{name} = {self._taken(region, how)}")
                region = name
        if step.kind == "put":
            self._call(f"{region}[...] = {operand}")
        else:
            self._known("add", np.add)
            self._call(f"add({region}, {self.array(value)}, {region})")

    def _join(self, step: Step) -> None:
        parts = [self.array(p) for p in step.args[0]]
        ((_, axis),) = step.how
        name = self.function(step.function)
        self._call(f"{name}(({', '.join(parts)},), {axis}, {self.target(step.out)})")

    def _run(self, step: Step) -> None:
        operands = [self.array(t) for t in step.args]
        targets = [self.target(out) for out in step.outs if out.shape]
        numbers = [self._new(out) for out in step.outs if not out.shape]
        call = self._bind(step.function, "run_", ("run", id(step)))
        self.calls += step.function.calls
        self.constant_bytes += step.function.nbytes
        result = f"{', '.join(numbers)}{',' if len(numbers) == 1 else ''} = " if numbers else ""
        self._line(f"{result}{call}([{', '.join(operands)}], [{', '.join(targets)}])")

    def _kernel(self, step: Step) -> None:
        arrays: list[str] = []

        def place_of(item: Any) -> Any:
            if type(item) is Term:
                if item.constant is not None:
                    return _Given(item.constant)
                arrays.append(self.array(item))
                return len(arrays) - 1
            return tuple(place_of(i) for i in item) if type(item) is tuple else _Given(item)

        places = tuple(place_of(a) if i in step.function.tensor_slots else _Given(a) for i, a in enumerate(step.args))
        call = self._bind(_kernel_call(step, places), "kernel_", ("kernel", id(step)))
        if isinstance(step.function, InChunks):
            self.calls += step.function.calls
            self.constant_bytes += step.function.plan.nbytes
        found = f"{call}({', '.join(arrays)})"
        names = [self._new(out) for out in step.outs]
        if len(names) == 1:
            self._call(f"{names[0]} = {found}[0]{'' if step.out.shape else '[()]'}")
            return
        self._call(f"{', '.join(names)} = {found}")
        for out, name in zip(step.outs, names, strict=True):
            if not out.shape:
                self._line(f"{name} = {name}[()]")

    # The whole.

    def _results(self) -> str:
        """The arrays that are handed out: never one that the plan keeps, was given, or hands out already."""
        given: set[Term] = set()
        parts: list[str] = []
        self._known("array", np.array)
        for term in self._graph.outputs:
            root = self._places.root_of(term)
            home = self._places.home_of(term)
            if not term.shape:
                parts.append(f"array({self.number(term)}, {self.dtype(term.dtype)})")
            elif home in ("output", "made") and root not in given and (root is term or self._is_whole(term)):
                given.add(root)
                parts.append(self._names[term])
            elif home == "held" and is_dense(term):
                parts.append(f"{self.array(term)}.copy()")
            else:
                parts.append(f"array({self.array(term)}, order='{'K' if home == 'input' else 'C'}')")
        return ", ".join(parts)

    def _is_whole(self, term: Term) -> bool:
        """Whether a term is what was last written to the memory of its root, rather than a view of it."""
        return term not in {s.out for s in self._graph.steps if s.kind == "view"}

    def _texts(self, results: str) -> list[str]:
        """The function that runs the plan, and those that do its parts where it is long."""
        inputs: Sequence[Term] = self._graph.inputs
        given = [f"x{i}" for i in range(len(inputs))]
        body = [f"{', '.join(given)}{',' if len(given) == 1 else ''} = arrays"] if given else []
        for i, (name, term) in enumerate(zip(given, inputs, strict=True)):
            itemsize = term.dtype.itemsize
            strides = tuple(s * itemsize for s in term.strides)
            same = f"{name}.shape != {term.shape!r} or {name}.dtype != {self.dtype(term.dtype)}"
            body.append(f"if {same}{f' or {name}.strides != {strides!r}' if term.shape else ''}:")
            body.append(f"    {name} = fit({i}, {name})")
        if self._held:
            body += ["try:", "    held = pop()", "except IndexError:", "    held = make()"]
        others = split(self._lines, results, [*self._held, *given], self.names)
        if others:
            body.append(f"kept = [{', '.join([*(['*held'] if self._held else []), *given])}]")
            body += [f"part{i}(kept)" for i in range(len(others) - 1)]
            body.append(f"results = part{len(others) - 1}(kept)")
        else:
            if self._held:
                body.append(f"{', '.join(self._held)}{',' if len(self._held) == 1 else ''} = held")
            body += [*self._lines, f"results = [{results}]"]
        if self._held:
            body.append("push(held)")
        body.append("return results")
        return ["def run(arrays):\n" + "".join(f"    {line}\n" for line in body), *others]


def _effort_of(step: Step) -> int:
    """About how many operations on numbers a step does; a run looks by itself whether it is to stop."""
    if step.kind in ("view", "run"):
        return 0
    size = max([t.size for t in (*step.outs, *step.operands())], default=0)
    if step.kind == "matmul":
        (inner, *_) = step.args[0].shape[-1:]
        return max(int(inner) * step.out.size, size)
    return _KERNEL_EFFORT * size if step.kind == "kernel" else size


class _Given:
    """An argument of a kernel that is there from the start.

    Args:
        value: What it is.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _kernel_call(step: Step, places: tuple[Any, ...]) -> Callable[..., tuple[Array, ...]]:
    """A function of the arrays that a kernel takes, whose other arguments are given."""

    def filled(place: Any, arrays: Sequence[Array]) -> Any:
        if type(place) is int:
            return arrays[place]
        if type(place) is _Given:
            return place.value
        return tuple(filled(p, arrays) for p in place)

    return lambda *arrays: run_kernel_step(step, [filled(p, arrays) for p in places])
