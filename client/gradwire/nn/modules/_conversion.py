"""Casting the parameters and buffers of a module."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Self

from gradwire_engine.devices import check_device
from gradwire_engine.dtypes import DType, dtype_of
from gradwire_engine.modes import no_grad
from gradwire_engine.op import ops
from gradwire_engine.value import Value

from ._members import Members


class Conversion(Members):
    """The part of ``Module`` that changes what its tensors are."""

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        """Replaces the data of every parameter and its gradient, and every buffer, by what ``fn`` makes of it.

        The parameters stay the same objects, which optimizers know them by.
        """
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is not None:
                grad = parameter.grad
                _replace(parameter, fn)
                if grad is not None:
                    _replace(grad, fn)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def _cast_floating(self, dtype: str) -> Self:
        return self._apply(lambda t: ops.to(t, dtype) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Casts all floating point parameters and buffers to float32."""
        return self._cast_floating("float32")

    def double(self) -> Self:
        """Casts all floating point parameters and buffers to float64."""
        return self._cast_floating("float64")

    def half(self) -> Self:
        """Casts all floating point parameters and buffers to float16."""
        return self._cast_floating("float16")

    def type(self, dst_type: DType | str) -> Self:
        """Casts all parameters and buffers to ``dst_type``."""
        return self._apply(lambda t: ops.to(t, dtype_of(dst_type)))

    def cpu(self) -> Self:
        """Leaves everything where it is: the CPU is the only device."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """Refuses, as torch does where there is no CUDA.

        Raises:
            AssertionError: Always (torch's message).
        """
        check_device("cuda")
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Casts the floating point and complex parameters and buffers: ``to(dtype)``, ``to(device, dtype)`` or ``to(tensor)``.

        Returns:
            The module itself.

        Raises:
            TypeError: The dtype is one of whole numbers, or the arguments are no such thing.
            AssertionError: A CUDA device is asked for.
            RuntimeError: Any other device than the CPU is asked for.
        """
        dtype = _wanted(args, kwargs)
        if dtype is None:
            return self
        if not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}")
        if dtype.is_complex:
            warnings.warn(
                "Complex modules are a new feature under active development whose design may change, and some modules might not work as "
                "expected when using complex tensors as parameters or buffers. Please file an issue at "
                "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml if a complex module does not work as expected.",
                stacklevel=2,
            )
        return self._apply(lambda t: ops.to(t, dtype) if t.is_floating_point() or t.is_complex() else t)


def _replace(tensor: Any, fn: Callable[[Any], Any]) -> None:
    with no_grad():
        applied = fn(tensor)
    if applied is not tensor:
        tensor.data = applied


def _wanted(args: tuple[Any, ...], kwargs: dict[str, Any]) -> DType | None:
    """The dtype that the arguments of ``to`` ask for; the device is checked."""
    first, *rest = args or (None,)
    dtype = kwargs.get("dtype")
    other = kwargs.get("tensor", first)
    if isinstance(other, Value):
        return other.dtype
    if isinstance(first, (DType, type)):
        dtype = first
    else:
        check_device(kwargs.get("device", first))
        if rest and rest[0] is not None and not isinstance(rest[0], bool):
            dtype = rest[0]
    return None if dtype is None else dtype_of(dtype)
