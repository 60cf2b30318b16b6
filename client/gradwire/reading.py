"""Looking at the elements of a tensor: the only thing that waits for the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gradwire_engine.dtypes import Array, dtype_of
from gradwire_engine.errors import TensorRuntimeError, TensorTypeError
from gradwire_engine.tensor import Tensor as EagerTensor
from gradwire_engine.tensor import warn_of_history
from gradwire_engine.value import Value

if TYPE_CHECKING:
    from .remote import Remote

SMALL: Final = 1024
"""The elements of a tensor that are worth keeping here once they were seen."""


class Reading:
    """What Python code may want of a tensor's elements, each as torch has it."""

    if TYPE_CHECKING:
        _data: Remote

    def _elements(self) -> Array:
        """The elements, for looking only."""
        payload = self._data
        known = payload.known
        writes = payload.storage.writes
        if known is not None and known[1] == writes:
            return known[0]
        name = payload.reference()
        assert payload.session is not None
        array: Array = payload.session.ask({"do": "read", "name": name, "what": ["value"]}, (), (name,))["value"]["data"]
        array = np.asarray(array)
        if array.size <= SMALL:
            payload.known = (array, writes)
        return array

    def _here(self) -> EagerTensor:
        """The elements as a tensor of the engine."""
        return EagerTensor._wrap(self._elements())  # type: ignore[return-value]

    def item(self) -> Any:
        """The element of a one-element tensor as a Python number."""
        size = self._data.meta.numel
        if size != 1:
            raise TensorRuntimeError(f"a Tensor with {size} elements cannot be converted to Scalar")
        return self._here().item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self._elements().tolist()

    def numpy(self, *, force: bool = False) -> Array:
        """A copy of the elements as an array; with ``force`` also of a tensor that requires gradients."""
        if self.requires_grad and not force:  # type: ignore[attr-defined]
            raise TensorRuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return self._elements().copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype, copy=False)

    def equal(self, other: Any) -> bool:
        """Whether both have the same shape and the same elements; NaN equals nothing."""
        return self._here().equal(_here(other))

    def allclose(self, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
        """Whether all elements are close (see ``isclose``)."""
        return self._here().allclose(_here(other), rtol, atol, equal_nan)

    def __bool__(self) -> bool:
        size = self._data.meta.numel
        if size != 1:
            kind = "no values" if size == 0 else "more than one value"
            raise TensorRuntimeError(f"Boolean value of Tensor with {kind} is ambiguous")
        return bool(self._here())

    def __float__(self) -> float:
        warn_of_history(self)  # type: ignore[arg-type]
        return float(self._here())

    def __int__(self) -> int:
        return int(self._here())

    def __complex__(self) -> complex:
        warn_of_history(self)  # type: ignore[arg-type]
        return complex(self._here())

    def __index__(self) -> int:
        if self._data.meta.numel != 1 or self._data.dtype.kind not in "iub":
            raise TensorTypeError("only integer tensors of a single element can be converted to an index")
        return self._here().__index__()

    def __contains__(self, element: Any) -> bool:
        return _here(element) in self._here()

    def __repr__(self) -> str:
        if self._data.name is None and self._data.known is None:
            return f"shadow({list(self._data.shape)}, dtype={dtype_of(self._data.dtype)!r})"
        return self._here()._text(self._suffixes())

    def __format__(self, spec: str) -> str:
        if self._data.shape:
            if spec:
                raise TensorTypeError("unsupported format string passed to Tensor.__format__")
            return repr(self)
        return format(self._here(), spec)

    def _suffixes(self) -> list[str]:
        """What stands after the elements in the text of a tensor."""
        node = self._made_by()  # type: ignore[attr-defined]
        if node is not None:
            return [f"grad_fn=<{node.short_name}>"]
        return ["requires_grad=True"] if self.requires_grad else []  # type: ignore[attr-defined]


def _here(value: Any) -> Any:
    return value._here() if isinstance(value, Reading) and isinstance(value, Value) else value
