"""Gradients against central differences (``torch.autograd.gradcheck``), on tensors that have elements, real and complex.

A complex number is treated as its two parts: the derivative of both parts of every output by both parts of every input. The
gradient of Re(conj(u) · output) by an input is, in torch's convention, the derivative by the real part plus i times that by
the imaginary part.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .dtypes import Array, to_real
from .errors import TensorRuntimeError, TensorValueError
from .printing import format_tensor
from .value import Value


class GradcheckError(TensorRuntimeError):
    """A gradient that is not the derivative (``torch.autograd.gradcheck.GradcheckError``)."""

    code = "gradcheck"


def gradcheck(
    fn: Callable[..., Any],
    inputs: Any,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Compares the gradients of ``fn`` with central differences.

    Args:
        fn: Takes ``inputs``; returns a tensor or several. It is called again and again and must give the same each time.
        inputs: A tensor or several, among them one that requires grad; double precision, or the differences mean little.
        eps: The step.
        atol: The absolute tolerance.
        rtol: The relative tolerance.
        raise_exception: Whether a failure raises; otherwise the result is ``False``.

    Returns:
        Whether they agree.

    Raises:
        GradcheckError: They do not agree, and ``raise_exception`` is set.
        TensorValueError: No input requires grad.
        TensorRuntimeError: Elements of an input share memory.
    """
    given = _as_tuple(inputs)
    checked = _checked_inputs(given)
    try:
        _check(fn, given, checked, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    fn: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Compares the gradients of the gradients of ``fn`` with central differences (``torch.autograd.gradgradcheck``).

    Args:
        fn: As for :func:`gradcheck`.
        inputs: As for :func:`gradcheck`.
        grad_outputs: The cotangents of the outputs that require grad; random ones when left out.
        eps: The step.
        atol: The absolute tolerance.
        rtol: The relative tolerance.
        raise_exception: Whether a failure raises; otherwise the result is ``False``.

    Returns:
        Whether they agree.

    Raises:
        GradcheckError: They do not agree, and ``raise_exception`` is set.
        TensorValueError: No input requires grad.
    """
    given = _as_tuple(inputs)
    if grad_outputs is None:
        cotangents = tuple(_random_like(o) for o in _differentiable(fn(*given)))
    else:
        cotangents = _as_tuple(grad_outputs)

    def gradients(*args: Any) -> tuple[Any, ...]:
        own, gs = args[: len(given)], args[len(given) :]
        wanted = [x for x in own if isinstance(x, Value) and x.requires_grad]
        outputs = _differentiable(fn(*own))
        found = outputs[0]._differentiate(outputs, wanted, list(gs), create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(gradients, (*given, *cotangents), eps, atol, rtol, raise_exception)


def _as_tuple(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, (list, tuple)) else (values,)


def _differentiable(outputs: Any) -> list[Any]:
    return [o for o in _as_tuple(outputs) if isinstance(o, Value) and o.requires_grad]


def _random_like(output: Value) -> Value:
    random = np.random.default_rng(output.numel())
    made = random.standard_normal(output.shape)
    if output.is_complex():
        made = made + 1j * random.standard_normal(output.shape)
    return _made(made, output).requires_grad_()


def _elements(tensor: Any) -> Array:
    """The elements of a tensor, for looking only."""
    array: Array = tensor.detach().numpy()
    return array


def _made(array: Array, like: Value) -> Value:
    """A tensor with these elements, of the recorder and the dtype of ``like``."""
    return like._recorder._lift(np.asarray(array, like._data.dtype))


def _checked_inputs(given: Sequence[Any]) -> list[Value]:
    checked: list[Value] = []
    for i, x in enumerate(given):
        if not isinstance(x, Value) or not x.requires_grad:
            continue
        if to_real(x._data.dtype) != np.float64:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. "
                "This check will likely fail if all the inputs are not of double precision floating point or complex.",
                stacklevel=3,
            )
        if any(step == 0 and size > 1 for step, size in zip(x.stride(), x.shape, strict=True)):
            raise TensorRuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able to "
                "compute the numerical gradients correctly. You should call .contiguous on the input before passing it to gradcheck."
            )
        checked.append(x)
    if not checked:
        raise TensorValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True."
        )
    return checked


def _parts(array: Array) -> Array:
    """The elements as real numbers in a row; a complex number is two."""
    flat = np.array(array).reshape(-1)
    return flat.view(to_real(flat.dtype))


def _check(fn: Callable[..., Any], given: Sequence[Any], checked: Sequence[Value], eps: float, atol: float, rtol: float) -> None:
    outputs = _as_tuple(fn(*given))
    floating = [k for k, o in enumerate(outputs) if isinstance(o, Value) and o._data.dtype.kind in "fc"]
    numerical = [_numerical(fn, given, x, floating, eps) for x in checked]
    for row, k in enumerate(floating):
        analytical = _analytical(outputs[k], checked)
        for i, found in enumerate(analytical):
            expected = numerical[i][row]
            if np.allclose(found, expected, rtol=rtol, atol=atol):
                continue
            if not outputs[k].requires_grad:
                raise GradcheckError("Numerical gradient for function expected to be zero")
            raise GradcheckError(
                f"Jacobian mismatch for output {k} with respect to input {i},\nnumerical:{_show(expected)}\nanalytical:{_show(found)}\n"
            )


def _show(jacobian: Array) -> str:
    return format_tensor(jacobian, default_dtype=np.dtype(np.float32))


def _numerical(fn: Callable[..., Any], given: Sequence[Any], x: Value, floating: Sequence[int], eps: float) -> list[Array]:
    """For each floating output the derivative by ``x``, a row per part of the input, by central differences."""

    def run() -> list[Array]:
        results = _as_tuple(fn(*given))
        return [_parts(_elements(results[k])) for k in floating]

    before = _elements(x).copy()

    def run_at(place: tuple[int, ...], step: complex) -> list[Array]:
        moved = before.copy()
        moved[place] += step
        # The function may hold on to the input itself, so the step is taken in place; its version is left as it is for backward.
        x.data.copy_(_made(moved, x))
        try:
            return run()
        finally:
            x.data.copy_(_made(before, x))

    columns: list[list[Array]] = []
    for place in np.ndindex(before.shape):
        for direction in (1, 1j) if before.dtype.kind == "c" else (1,):
            right, left = run_at(place, eps * direction), run_at(place, -eps * direction)
            columns.append([(r - s) / (2 * eps) for r, s in zip(right, left, strict=True)])
    return [np.array([column[k] for column in columns]).reshape(len(columns), -1) for k in range(len(floating))]


def _analytical(output: Value, checked: Sequence[Value]) -> list[Array]:
    """The derivative of one output by each input, as ``_numerical`` has it, from one backward pass per part of the output."""
    count = output.numel() * (2 if output.is_complex() else 1)
    jacobians = [np.zeros((x.numel() * (2 if x.is_complex() else 1), count)) for x in checked]
    if not output.requires_grad:
        return jacobians
    for number in range(count):
        cotangent = np.zeros(output.shape, output._data.dtype)
        _write_part(cotangent, number)
        found = output._differentiate([output], checked, [_made(cotangent, output)], retain_graph=True, allow_unused=True)
        for jacobian, g in zip(jacobians, found, strict=True):
            if g is not None:
                jacobian[:, number] = _parts(_elements(g))
    return jacobians


def _write_part(array: Array, number: int) -> None:
    if array.dtype.kind == "c":
        array.reshape(-1)[number // 2] = 1j if number % 2 else 1
    else:
        array.reshape(-1)[number] = 1
