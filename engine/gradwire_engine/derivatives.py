"""The derivatives of one forward pass: everything that is asked for shares it.

It is written in walks and ops alone, so it serves eager tensors, symbols and batches alike. Jacobians and Hessians are one walk for all
their rows, or one for each chunk of them (``batching.rows``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Final

from .autograd import walk_back
from .batching.batch import tracked
from .batching.rows import ALL, Chunks, Cotangents, of_each_row, of_rows
from .custom import FunctionNode
from .custom_jvp import transposing
from .custom_node import CustomNode
from .dtypes import dtype_of, is_differentiable
from .errors import TensorRuntimeError, TensorValueError
from .modes import GRAD_MODE, enable_grad, set_grad_enabled
from .node import Node
from .op import ops
from .value import Value

Named = Mapping[str, Value]
Call = Callable[[Named], Named]
"""A pure function of named values."""

_FORWARD_COST: Final = 4
"""How many rows of a Jacobian by reverse mode take as long as one column by forward mode, which walks the graph of a walk."""


class Derivatives:
    """A forward pass and what is derived from it.

    Args:
        call: The function.
        inputs: Its arguments.
        wrt: The inputs to differentiate by.
        chunks: How many rows of a Jacobian or Hessian are computed at once; all of them where what comes out has a history.

    Attributes:
        leaves: The inputs that are differentiated by, as the pass used them.
        results: What the function gave, with history.

    Raises:
        TensorValueError: There is no such input.
        TensorRuntimeError: An input is of whole numbers (torch's message).
    """

    def __init__(self, call: Call, inputs: Named, wrt: Sequence[str], chunks: Chunks = ALL) -> None:
        self._chunks = chunks
        # Gradients have a history of their own only where somebody differentiates them from outside.
        self._tracked = GRAD_MODE.get() and any(tracked(v) for v in inputs.values())
        self.leaves = {name: _leaf(_named(inputs, name, "input")) for name in wrt}
        # Without a derivative there is no history to keep.
        with set_grad_enabled(bool(wrt) or self._tracked):
            self.results = dict(call({**inputs, **self.leaves}))

    def outputs(self, names: Iterable[str] | None = None) -> dict[str, Value]:
        """The outputs: those asked for, or all."""
        return {name: self._shown(self._result(name)) for name in (self.results if names is None else names)}

    def value(self, output: str | None) -> Value:
        """The output that gradients are of.

        Raises:
            TensorRuntimeError: It is no scalar (torch's message).
            TensorValueError: There is no such output, or it has to be named because there are several.
        """
        return self._shown(self._scalar(output))

    def grads(self, output: str | None) -> dict[str, Value]:
        """The gradients of a scalar output; zeros for inputs that it does not depend on."""
        return {name: self._shown(g) for name, g in self._gradients(self._scalar(output), False).items()}

    def vjp(self, cotangents: Named) -> dict[str, Value]:
        """The gradients for cotangents of outputs."""
        return self._filled(self._walk({name: self._result(name) for name in cotangents}, cotangents, self._tracked))

    def jvp(self, tangents: Named) -> dict[str, Value]:
        """The derivatives of the outputs along tangents of inputs.

        Raises:
            TensorRuntimeError: A tangent has another shape than its input (torch's message), or a function has no forward mode.
        """
        for name, tangent in tangents.items():
            _check_tangent(tangent, _named(self.leaves, name, "input to differentiate by"))
        self._refuse_functions()
        cotangents, gradients = self._transpose
        reached = {name: gradients[name] for name in tangents if gradients[name].requires_grad}
        given = [_as_dtype(tangents[name], reached[name]) for name in reached]
        found = self._back(list(reached.values()), given, list(cotangents.values()), self._tracked)
        by_name = dict(zip(cotangents, found, strict=True))
        return {name: self._shown(_or_zeros(by_name.get(name), result)) for name, result in self.results.items()}

    def jacobian(self, outputs: Sequence[str] | None) -> dict[str, dict[str, Value]]:
        """The derivative of each output by each input, of the output's shape followed by the input's.

        Raises:
            TensorRuntimeError: A tensor is complex, or an output is of whole numbers (torch's messages).
        """
        wanted = {name: self._result(name) for name in (self.results if outputs is None else outputs)}
        for what, values in (("inputs", self.leaves), ("outputs", wanted)):
            for name, value in values.items():
                if value._data.dtype.kind == "c":
                    raise TensorRuntimeError(f"jacobian: Expected all {what} to be real but received complex tensor {name!r}")
        rows, columns = (sum(math.prod(v._data.shape) for v in values.values()) for values in (wanted, self.leaves))
        _check_outputs(wanted)
        if columns * _FORWARD_COST <= rows and not self._without_jvp():
            return self._by_columns(wanted)
        return {name: self._rows_of(y) for name, y in wanted.items()}

    def hessian(self, output: str | None) -> dict[str, dict[str, Value]]:
        """The second derivatives of a scalar output by each pair of inputs, of the shape of one followed by that of the other."""
        for name, leaf in self.leaves.items():
            if leaf._data.dtype.kind == "c":
                raise TensorRuntimeError(f"hessian: Expected all inputs to be real but received complex tensor {name!r}")
        return {name: self._rows_of(g) for name, g in self._gradients(self._scalar(output), True).items()}

    def hvp(self, output: str | None, vectors: Named) -> dict[str, Value]:
        """The Hessian of a scalar output times vectors, or times each of a stack of them, which has one more dimension.

        Raises:
            TensorRuntimeError: A vector does not fit its input, or the stacks differ.
        """
        gradients = self._gradients(self._scalar(output), True)
        size = self._stack_size(vectors)
        reached = {name: gradients[name] for name in vectors if gradients[name].requires_grad}
        given = [_as_dtype(vectors[name], g) for name, g in reached.items()]
        leaves = list(self.leaves.values())
        if size is None:
            return self._filled(self._back(list(reached.values()), given, leaves, self._tracked))

        def rows(numbers: Value | None) -> list[Value]:
            return given if numbers is None else [ops.index_select(stack, 0, numbers) for stack in given]

        found = self._stacked(list(reached.values()), rows, leaves, size)
        return {name: self._shown(_or_zeros(g, leaf, (size,))) for (name, leaf), g in zip(self.leaves.items(), found, strict=True)}

    # Parts of these.

    def _result(self, name: str) -> Value:
        return _named(self.results, name, "output")

    def _scalar(self, output: str | None) -> Value:
        if output is None:
            if len(self.results) != 1:
                raise TensorValueError(
                    f"The function has the outputs {', '.join(self.results)}; say by name which of them is meant.", code="output_needed"
                )
            output = next(iter(self.results))
        value = self._result(output)
        if value._data.shape:
            raise TensorRuntimeError(
                f"Expected the output {output!r} to be a scalar Tensor, got tensor with {value.ndim} dims. "
                "Maybe you wanted to use the vjp or jacobian APIs instead?",
                code="not_scalar",
            )
        if value._data.dtype.kind == "c":
            dtype = dtype_of(value._data.dtype).name
            raise TensorRuntimeError(
                f"grad can be implicitly created only for real scalar outputs but got torch.{dtype}", code="gradient_required"
            )
        return value

    def _gradients(self, output: Value, again: bool) -> dict[str, Value]:
        """The gradients of an output; with ``again`` such that can be differentiated themselves."""
        key = (id(output), again or self._tracked)
        if key not in self._found:
            found = self._back([output] if output.requires_grad else [], [None], list(self.leaves.values()), key[1])
            pairs = zip(self.leaves.items(), found, strict=True)
            self._found[key] = {name: _or_zeros(g, leaf) for (name, leaf), g in pairs}
        return self._found[key]

    @cached_property
    def _found(self) -> dict[tuple[int, bool], dict[str, Value]]:
        return {}

    @cached_property
    def _transpose(self) -> tuple[dict[str, Value], dict[str, Value]]:
        """Cotangents of the outputs that are differentiable, and the gradients as functions of them, which are linear.

        A walk back through such a gradient is the derivative forwards.
        """
        outputs = {name: y for name, y in self.results.items() if y.requires_grad}
        cotangents = {name: ops.zeros_like(_bare(y)).requires_grad_() for name, y in outputs.items()}
        with transposing():
            found = self._back(list(outputs.values()), list(cotangents.values()), list(self.leaves.values()), True)
        pairs = zip(self.leaves.items(), found, strict=True)
        return cotangents, {name: _or_zeros(g, leaf) for (name, leaf), g in pairs}

    def _walk(self, outputs: Mapping[str, Value], cotangents: Named, create_graph: bool) -> list[Any]:
        _check_outputs(outputs)
        reached = {name: y for name, y in outputs.items() if y.requires_grad}
        return self._back(list(reached.values()), [cotangents[n] for n in reached], list(self.leaves.values()), create_graph)

    def _back(self, outputs: Sequence[Value], cotangents: Sequence[Any], targets: Sequence[Value], create_graph: bool) -> list[Any]:
        if not outputs or not targets:
            return [None] * len(targets)
        with enable_grad():
            return walk_back(outputs, cotangents, targets, create_graph=create_graph, retain_graph=True)

    def _stacked(self, outputs: Sequence[Value], cotangents: Cotangents, targets: Sequence[Value], size: int) -> Sequence[Any]:
        """A walk for each row of stacked cotangents, many of them at once."""
        if not outputs or not targets:
            return [None] * len(targets)

        def walk(rows: Sequence[Any]) -> list[Any]:
            return self._back(outputs, rows, targets, self._tracked)

        if self._tracked:
            return of_each_row(walk, cotangents(None), [*outputs, *targets], size)
        return of_rows(walk, cotangents, [*outputs, *targets], size, self._chunks)

    def _rows_of(self, y: Value) -> dict[str, Value]:
        """The derivative of one value by each input: the gradients for all unit cotangents."""
        shape, size = y._data.shape, math.prod(y._data.shape)
        found: Sequence[Any] = [None] * len(self.leaves)
        if y.requires_grad and size:
            found = self._stacked([y], partial(_units, y), list(self.leaves.values()), size)
        return {
            name: self._shown(_or_zeros(None if g is None else ops.reshape(g, (*shape, *leaf._data.shape)), leaf, shape, y))
            for (name, leaf), g in zip(self.leaves.items(), found, strict=True)
        }

    def _by_columns(self, outputs: Mapping[str, Value]) -> dict[str, dict[str, Value]]:
        """The derivatives of outputs, from the derivatives along all unit tangents."""
        cotangents, gradients = self._transpose
        targets = [cotangents[name] for name in outputs if name in cotangents]
        made: dict[str, dict[str, Value]] = {name: {} for name in outputs}
        for x, leaf in self.leaves.items():
            shape, size = leaf._data.shape, math.prod(leaf._data.shape)
            found: Sequence[Any] = [None] * len(targets)
            if gradients[x].requires_grad and size:
                found = self._stacked([gradients[x]], partial(_units, gradients[x]), targets, size)
            columns = dict(zip([name for name in outputs if name in cotangents], found, strict=True))
            for name, y in outputs.items():
                column = columns.get(name)
                if column is not None:
                    turned = ops.t(ops.reshape(column, (size, math.prod(y._data.shape))))
                    column = ops.reshape(turned, (*y._data.shape, *shape))
                made[name][x] = self._shown(_or_zeros(column, leaf, y._data.shape, y))
        return made

    def _stack_size(self, vectors: Named) -> int | None:
        sizes: set[int | None] = set()
        for name, vector in vectors.items():
            leaf = _named(self.leaves, name, "input to differentiate by")
            have, want = vector._data.shape, leaf._data.shape
            if have != want and have[1:] != want:
                raise TensorRuntimeError(
                    f"The vector for {name!r} must have the shape {list(want)} of the input, or one more dimension in front, "
                    f"but has the shape {list(have)}.",
                    code="shape_mismatch",
                )
            sizes.add(None if have == want else int(have[0]))
        if len(sizes) > 1:
            raise TensorRuntimeError("The vectors must all be single ones, or all be stacks of the same number.", code="shape_mismatch")
        return sizes.pop() if sizes else None

    def _without_jvp(self) -> list[Node]:
        """The custom functions on the way to the outputs that have no program for forward mode."""
        seen: set[Node] = set()
        stack: list[Node] = [y._made_by() for y in self.results.values() if y._made_by() is not None]  # type: ignore[misc]
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                stack.extend(e[0] for e in node.edges if e is not None)
        return [node for node in seen if isinstance(node, CustomNode) or (isinstance(node, FunctionNode) and node.function.jvp is None)]

    def _refuse_functions(self) -> None:
        for node in self._without_jvp():
            raise TensorRuntimeError(
                f"The derivative along tangents goes through {node.name().removesuffix('Backward')!r}, a custom function without a "
                "program for that (jvp). Use vjp, or the gradient.",
                code="jvp_missing",
            )

    def _filled(self, found: Sequence[Any]) -> dict[str, Value]:
        return {name: self._shown(_or_zeros(g, leaf)) for (name, leaf), g in zip(self.leaves.items(), found, strict=True)}

    def _shown(self, value: Value) -> Value:
        """A result as the caller gets it: with history only where that leads outside."""
        return value if self._tracked else _bare(value)


def _named(values: Named, name: str, what: str) -> Value:
    if name not in values:
        raise TensorValueError(f"There is no {what} {name!r}; there are {', '.join(values) or 'none'}.", code="unknown_name")
    return values[name]


def _bare(value: Value) -> Value:
    """The value without its history on this level."""
    return value._recorder._wrap(value._data)


def _leaf(value: Value) -> Value:
    if not is_differentiable(value._data.dtype):
        raise TensorRuntimeError("only Tensors of floating point dtype can require gradients", code="not_differentiable")
    # What has a history keeps it, behind a node that is this pass's own.
    return ops._alias(value) if value.requires_grad and GRAD_MODE.get() else _bare(value).requires_grad_()


def _check_outputs(outputs: Named) -> None:
    for value in outputs.values():
        if not is_differentiable(value._data.dtype):
            dtype = dtype_of(value._data.dtype).name
            raise TensorRuntimeError(
                f"All outputs must be floating-point or complex Tensors, got Tensor with dtype torch.{dtype}", code="not_differentiable"
            )


def _check_tangent(tangent: Value, leaf: Value) -> None:
    have, want = list(tangent._data.shape), list(leaf._data.shape)
    if have != want:
        raise TensorRuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. "
            f"Tensor is of size {want} while the given forward gradient is of size {have}.",
            code="shape_mismatch",
        )


def _as_dtype(value: Value, like: Value) -> Any:
    return value if value._data.dtype == like._data.dtype else ops.to(value, dtype_of(like._data.dtype))


def _or_zeros(g: Any, leaf: Value, lead: tuple[int, ...] = (), like: Value | None = None) -> Value:
    """The gradient, or zeros of the shape of the input behind ``lead``, in the dtype of ``like`` (of the input by default)."""
    if g is not None:
        return g  # type: ignore[no-any-return]
    dtype = dtype_of((leaf if like is None else like)._data.dtype)
    return ops.new_zeros(_bare(leaf), (*lead, *leaf._data.shape), dtype=dtype)  # type: ignore[no-any-return]


def _units(value: Value, numbers: Value | None) -> list[Value]:
    """Unit vectors of the shape of a value, stacked: those of the given numbers, or all."""
    shape, dtype = value._data.shape, dtype_of(value._data.dtype)
    size = math.prod(shape)
    # Made by ops, so that a program does not hold them.
    if numbers is None:
        return [ops.reshape(ops.eye(size, dtype=dtype), (size, *shape))]
    marked = ops.unsqueeze(numbers, 1) == ops.arange(size)
    return [ops.reshape(ops.to(marked, dtype), (numbers._data.shape[0], *shape))]
