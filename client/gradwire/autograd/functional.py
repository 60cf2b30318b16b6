"""Derivatives of functions of tensors: Jacobians, Hessians, and their products with vectors (``torch.autograd.functional``).

``func`` takes the inputs one by one and gives a tensor or a tuple of them; what has a part for every input (or every output) is a
tuple where there are several, a tensor where the one was given alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradwire_engine.errors import TensorNotImplementedError, TensorRuntimeError, TensorTypeError
from gradwire_engine.modes import enable_grad
from gradwire_engine.op import ops
from gradwire_engine.value import Value

from .passes import grad

Func = Callable[..., Any]
Many = tuple[Any, ...]


def vjp(func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """The product of a vector with the Jacobian of ``func``.

    Args:
        func: The function.
        inputs: Where it is differentiated: a tensor or a tuple of them.
        v: The vector, of the shape of the output; may be left out for an output of one element.
        create_graph: Whether the result can be differentiated again.
        strict: Whether an output that does not depend on an input is an error rather than zeros.

    Returns:
        What ``func`` gives, and the product: a part of the shape of each input.

    Raises:
        RuntimeError: ``v`` does not fit, or the derivative does not exist in the strict sense.
    """
    with enable_grad():
        xs, alone = _inputs(inputs, create_graph, "vjp")
        ys, alone_out = _outputs(func(*xs), "vjp", strict)
        if v is None and not (len(ys) == 1 and ys[0].numel() == 1):
            raise TensorRuntimeError(
                "The vector v can only be None if the user-provided function returns a single Tensor with a single element."
            )
        vs = None if v is None else _vector(v, ys, "vjp")
        found = _gradients(ys, xs, vs, create_graph, strict)
    return _packed(ys, alone_out, create_graph), _packed(found, alone, create_graph)


def jvp(func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """The product of the Jacobian of ``func`` with a vector; the arguments are those of :func:`vjp`.

    It is found by differentiating the product of the other side, which is linear in its vector, a second time (J. Townsend, "A new
    trick for calculating Jacobian vector products", 2017).

    Args:
        func: The function.
        inputs: Where it is differentiated.
        v: The vector, of the shape of the inputs; may be left out for one input of one element.
        create_graph: Whether the result can be differentiated again.
        strict: Whether an output that does not depend on an input is an error rather than zeros.

    Returns:
        What ``func`` gives, and the product: a part of the shape of each output.

    Raises:
        RuntimeError: ``v`` does not fit, or the derivative does not exist in the strict sense.
    """
    with enable_grad():
        xs, _ = _inputs(inputs, create_graph, "jvp")
        vs = _vector_of_inputs(v, xs, "jvp")
        ys, alone_out = _outputs(func(*xs), "jvp", strict)
        probes = [ops.zeros_like(y).requires_grad_() for y in ys]
        products = _gradients(ys, xs, probes, True, strict)
        found = _gradients(products, probes, vs, create_graph, False)
    return _packed(ys, alone_out, create_graph), _packed(found, alone_out, create_graph)


def jacobian(
    func: Func, inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False, strategy: str = "reverse-mode"
) -> Any:
    """The Jacobian of ``func``.

    Args:
        func: The function.
        inputs: Where it is differentiated.
        create_graph: Whether the result can be differentiated again.
        strict: Whether an output that does not depend on an input is an error rather than zeros.
        vectorize: Accepted as in torch; the rows travel to the session together either way.
        strategy: ``"reverse-mode"``.

    Returns:
        For every output and every input a tensor of the output's shape followed by the input's.

    Raises:
        RuntimeError: The derivative does not exist in the strict sense.
        NotImplementedError: Another strategy was asked for.
    """
    if strategy != "reverse-mode":
        raise TensorNotImplementedError(f"jacobian goes backward here: strategy must be 'reverse-mode', not {strategy!r}.")
    if strict and vectorize:
        raise TensorRuntimeError(
            "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. "
            "Please either set `strict=False` or `vectorize=False`."
        )
    with enable_grad():
        xs, alone = _inputs(inputs, create_graph, "jacobian")
        ys, alone_out = _outputs(func(*xs), "jacobian", strict)
        parts: list[Any] = []
        for number, y in enumerate(ys):
            rows = [_gradients([element], xs, None, create_graph, strict, f"Output {number}") for element in y.reshape(-1)]
            columns = [ops.stack([row[i] for row in rows]).reshape(*y.shape, *x.shape) for i, x in enumerate(xs)]
            parts.append(_packed(columns, alone, create_graph))
    return parts[0] if alone_out else tuple(parts)


def hessian(
    func: Func,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a function of one element; the arguments are those of :func:`jacobian`.

    Args:
        func: The function, which gives one tensor of one element.
        inputs: Where it is differentiated.
        create_graph: Whether the result can be differentiated again.
        strict: Whether an output that does not depend on an input is an error rather than zeros.
        vectorize: Accepted as in torch.
        outer_jacobian_strategy: ``"reverse-mode"``.

    Returns:
        For every pair of inputs a tensor of the shape of the one followed by that of the other.

    Raises:
        RuntimeError: ``func`` gives something else, or the derivative does not exist in the strict sense.
    """

    def slope(*xs: Any) -> Any:
        y = _single(func(*xs), "hessian")
        found = _gradients([y], xs, None, True, strict)
        return tuple(found) if isinstance(inputs, tuple) else found[0]

    return jacobian(slope, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def vhp(func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """The product of a vector with the Hessian of a function of one element; the arguments are those of :func:`vjp`.

    Args:
        func: The function, which gives one tensor of one element.
        inputs: Where it is differentiated.
        v: The vector, of the shape of the inputs.
        create_graph: Whether the result can be differentiated again.
        strict: Whether an output that does not depend on an input is an error rather than zeros.

    Returns:
        What ``func`` gives, and the product: a part of the shape of each input.

    Raises:
        RuntimeError: ``func`` gives something else, or ``v`` does not fit.
    """
    with enable_grad():
        xs, alone = _inputs(inputs, create_graph, "vhp")
        vs = _vector_of_inputs(v, xs, "vhp")
        y = _single(func(*xs), "vhp")
        slopes = _gradients([y], xs, None, True, strict)
        found = _gradients(slopes, xs, vs, create_graph, strict)
    return _packed([y], True, create_graph), _packed(found, alone, create_graph)


def hvp(func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """The product of the Hessian of a function of one element with a vector, which is :func:`vhp`: a Hessian is symmetric.

    Args:
        func: The function, which gives one tensor of one element.
        inputs: Where it is differentiated.
        v: The vector, of the shape of the inputs.
        create_graph: Whether the result can be differentiated again.
        strict: Whether an output that does not depend on an input is an error rather than zeros.

    Returns:
        What ``func`` gives, and the product: a part of the shape of each input.

    Raises:
        RuntimeError: ``func`` gives something else, or ``v`` does not fit.
    """
    return vhp(_renamed(func), inputs, v, create_graph, strict)


def _renamed(func: Func) -> Func:
    return lambda *xs: _single(func(*xs), "hvp")


def _tensors(values: Any, what: str, name: str) -> tuple[Many, bool]:
    """The tensors, and whether the one was given alone."""
    several = isinstance(values, tuple)
    for i, value in enumerate(values if several else (values,)):
        if not isinstance(value, Value):
            where = f"value at index {i}" if several else f"given {what}"
            raise TensorTypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the {where} has type {type(value)}."
            )
    return (values if several else (values,)), not several


def _inputs(inputs: Any, create_graph: bool, name: str) -> tuple[Many, bool]:
    """Inputs of this derivative's own, so that nothing else is accumulated into or kept alive."""
    xs, alone = _tensors(inputs, "inputs", name)
    own = tuple(x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_() for x in xs)
    return own, alone


def _outputs(outputs: Any, name: str, strict: bool) -> tuple[Many, bool]:
    ys, alone = _tensors(outputs, "outputs of the user-provided function", name)
    for i, y in enumerate(ys):
        if strict and not y.requires_grad:
            raise TensorRuntimeError(
                f"Output {i} of the user-provided function does not require gradients. The outputs must be computed in a "
                "differentiable manner from the input when running in strict mode."
            )
    return ys, alone


def _single(output: Any, name: str) -> Any:
    if not isinstance(output, Value):
        raise TensorRuntimeError(f"The function given to {name} should return a single Tensor")
    if output.numel() != 1:
        raise TensorRuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")
    return output.reshape(())


def _vector_of_inputs(v: Any, xs: Many, name: str) -> Sequence[Any]:
    if v is not None:
        return _vector(v, xs, name)
    if len(xs) != 1 or xs[0].numel() != 1:
        raise TensorRuntimeError(
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single element."
        )
    return [ops.ones_like(xs[0])]


def _vector(v: Any, like: Many, name: str) -> Many:
    vs, _ = _tensors(v, "v", name)
    if len(vs) != len(like):
        if len(like) == 1:
            raise TensorRuntimeError("The given v should contain a single Tensor.")
        raise TensorRuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vs)}.")
    for i, (given, wanted) in enumerate(zip(vs, like, strict=True)):
        if given.shape != wanted.shape:
            entry = f"Entry {i} in " if len(like) > 1 else ""
            raise TensorRuntimeError(f"{entry}v has invalid size: should be {wanted.size()} but got {given.size()}.")
    return vs


def _gradients(
    ys: Sequence[Any], xs: Sequence[Any], vs: Sequence[Any] | None, create_graph: bool, strict: bool, what: str = "The output"
) -> list[Any]:
    """The gradients of those outputs that have any; zeros where there is none."""
    used = [i for i, y in enumerate(ys) if y.requires_grad]
    found: Sequence[Any] = [None] * len(xs)
    if used:
        cotangents = None if vs is None else [vs[i] for i in used]
        # The graph is kept because a Jacobian walks it once for every row.
        found = grad([ys[i] for i in used], xs, cotangents, retain_graph=True, create_graph=create_graph, allow_unused=True)
    for i, g in enumerate(found):
        if strict and g is None:
            raise TensorRuntimeError(
                f"{what} of the user-provided function is independent of input {i}. This is not allowed in strict mode."
            )
        if strict and create_graph and not g.requires_grad:
            raise TensorRuntimeError(
                f"The jacobian of the user-provided function is independent of input {i}. This is not allowed in strict mode when "
                "create_graph=True."
            )
    return [ops.zeros_like(x) if g is None else g for g, x in zip(found, xs, strict=True)]


def _packed(values: Sequence[Any], alone: bool, create_graph: bool) -> Any:
    done = tuple(value if create_graph else value.detach() for value in values)
    return done[0] if alone else done
