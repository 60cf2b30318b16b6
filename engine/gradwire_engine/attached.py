"""Documents whose tensors travel beside them, in one safetensors body.

The document is a string in the body's metadata, and where a tensor object has ``data`` otherwise, it names one of the body's tensors:
``{"tensor": "x", "requires_grad": true}``. Its shape and dtype are those of the tensor; a complex one is stored as real numbers with a
trailing axis of two, and has its ``dtype`` in the document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from .brief import shown
from .dtypes import Array, NumpyDType, to_real
from .errors import ProgramError
from .names import join
from .safetensors import Contents, MalformedSafetensors, Piece, loads_strictly, read, write

REQUEST: Final = "request"
"""The metadata entry in which a request has its document."""

RESPONSE: Final = "response"
"""The metadata entry in which an answer has its document."""

_COMPLEX: Final[dict[str, NumpyDType]] = {"complex64": np.dtype(np.complex64), "complex128": np.dtype(np.complex128)}
# Objects whose keys are names of the caller's choice, so that one of them may be called "tensor".
_BY_NAME: Final = frozenset({"inputs", "outputs", "kwargs", "functions", "backward", "grads", "grad_outputs", "tangents", "vectors"})

# What the "backward" of a custom function has, which is none of those objects.
_PROGRAM: Final = {"inputs", "nodes", "outputs"}


def unpack(body: bytes | bytearray, entry: str, loads: Callable[[bytes], Any] = loads_strictly, *, copy: bool = False) -> Any:
    """The document in a body, with an array as the ``data`` of every tensor that lies beside it.

    Args:
        body: The body.
        entry: Where the document is in the metadata, :data:`REQUEST` or :data:`RESPONSE`.
        loads: Parses the header and the document, as for :func:`gradwire_engine.safetensors.read`.
        copy: Whether the arrays are to have memory of their own, in place of being views of the body.

    Raises:
        MalformedSafetensors: The body is malformed, or has no such entry.
        ProgramError: The document names a tensor that is not there, or does not name one that is.
    """
    contents = read(body, loads)
    if entry not in contents.metadata:
        raise MalformedSafetensors(f"The safetensors file has no entry {entry!r} in its __metadata__, which holds the document as JSON.")
    try:
        document = loads(contents.metadata[entry].encode())
        reader = _Unpacking(contents, copy)
        document = reader.filled(document, "", by_name=False)
    except RecursionError:
        raise MalformedSafetensors(f"The document in the entry {entry!r} of the __metadata__ is nested too deeply.") from None
    except ValueError as error:
        if isinstance(error, ProgramError):
            raise
        raise MalformedSafetensors(f"The entry {entry!r} of the __metadata__ is no document: {error}.") from None
    if unused := contents.tensors.keys() - reader.used:
        raise ProgramError(f"The tensor {shown(min(unused))} is not used in the document.", code="unused_tensor", pointer="")
    return document


def pack(document: Any, entry: str, dumps: Callable[[Any], bytes]) -> Iterator[Piece]:
    """The body for a document, in pieces; the inverse of :func:`unpack`.

    Args:
        document: The document; what has an array as ``data`` beside its ``dtype`` is a tensor. Contiguous ones are not copied.
        entry: Where the document goes in the metadata.
        dumps: Writes what remains of the document as JSON.
    """
    tensors: dict[str, Array] = {}
    text = dumps(_emptied(document, "", tensors)).decode()
    return write(tensors, {entry: text})


class _Unpacking:
    """Puts tensors into a document.

    Attributes:
        used: The names of the tensors that were found in the document.
    """

    def __init__(self, contents: Contents, copy: bool) -> None:
        self._tensors = contents.tensors
        self._copy = copy
        self.used: set[str] = set()

    def filled(self, value: Any, pointer: str, *, by_name: bool) -> Any:
        """The value, whose objects and lists are changed where they stand."""
        if type(value) is dict:
            if not by_name and type(value.get("tensor")) is str:
                return self._tensor(value, pointer)
            for key, item in value.items():
                if type(item) is dict or type(item) is list:
                    names = key in _BY_NAME and not by_name and not (key == "backward" and type(item) is dict and item.keys() >= _PROGRAM)
                    value[key] = self.filled(item, join(pointer, key), by_name=names)
        elif type(value) is list:
            for index, item in enumerate(value):
                if type(item) is dict or type(item) is list:
                    value[index] = self.filled(item, f"{pointer}/{index}", by_name=False)
        return value

    def _tensor(self, value: dict[str, Any], pointer: str) -> dict[str, Any]:
        name = value["tensor"]
        array: Array | None = self._tensors.get(name)
        if array is None:
            raise ProgramError(
                f"There is no tensor {shown(name)} beside the document, which has {len(self._tensors)}.",
                code="unknown_tensor",
                pointer=join(pointer, "tensor"),
            )
        for key in ("data", "base64"):
            if key in value:
                raise ProgramError(f"A tensor has either 'tensor' or {key!r}, and not both.", code="invalid_tensor", pointer=pointer)
        self.used.add(name)
        dtype = value.get("dtype")
        if type(dtype) is str and dtype in _COMPLEX:
            array = _as_complex(array, dtype, pointer)
        if self._copy:
            array = np.array(array, array.dtype.newbyteorder("="))
        return {"data": array, **{key: item for key, item in value.items() if key != "tensor"}}


def tensor_bytes(document: Any) -> int:
    """How many bytes of tensors :func:`pack` would put beside a document."""
    if isinstance(document, Mapping):
        data = document.get("data")
        if "dtype" in document and isinstance(data, np.ndarray):
            return data.nbytes
        return sum(tensor_bytes(item) for item in document.values() if isinstance(item, (Mapping, list, tuple)))
    if isinstance(document, (list, tuple)):
        return sum(tensor_bytes(item) for item in document if isinstance(item, (Mapping, list, tuple)))
    return 0


def _as_complex(array: Array, name: str, pointer: str) -> Array:
    dtype = _COMPLEX[name]
    part = to_real(dtype)
    if array.dtype != part or array.shape[-1:] != (2,):
        raise ProgramError(
            f"A tensor of dtype {name} is stored as {part.name} with a trailing axis of 2, but this one is {array.dtype.name} of shape "
            f"{list(array.shape)}.",
            code="dtype_mismatch",
            pointer=join(pointer, "tensor"),
        )
    return array.view(dtype.newbyteorder("<")).reshape(array.shape[:-1])


def _emptied(value: Any, name: str, tensors: dict[str, Array]) -> Any:
    """The value with names in place of arrays, which go to ``tensors``; a tensor is named after where it stands."""
    if isinstance(value, Mapping):
        data = value.get("data")
        if "dtype" in value and isinstance(data, np.ndarray):
            name = name or "tensor"
            tensors[name] = data
            return {("tensor" if key == "data" else key): (name if key == "data" else item) for key, item in value.items()}
        return {key: _emptied(item, join(name, key) if name else key, tensors) for key, item in value.items()}
    if type(value) is list or type(value) is tuple:
        return [_emptied(item, f"{name}/{index}", tensors) for index, item in enumerate(value)]
    return value
