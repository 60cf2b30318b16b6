"""The safetensors format: named arrays behind one another, after a header in JSON that says what and where they are.

Eight bytes hold the length of the header as a little-endian integer, the header has for every tensor
``"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}`` and beside them ``"__metadata__"``, strings by name; the
tensors follow, row-major and little-endian, without gaps. Nothing is believed that is not checked: what a header says costs no more
memory than the bytes that are really there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import numpy as np

from .brief import shown
from .dtypes import Array, NumpyDType, to_real
from .errors import GradwireError
from .meta import MAX_DIMENSIONS

MEDIA_TYPE: Final = "application/x-safetensors"
"""What HTTP calls a body in this format."""

MOST_TENSORS: Final = 10_000
"""The most tensors that are read out of one body."""

Piece = bytes | memoryview

_METADATA: Final = "__metadata__"
_LENGTH: Final = 8
_ALIGNMENT: Final = 8
_MOST_HEADER_BYTES: Final = 2**24
_MEMBERS: Final = {"dtype", "shape", "data_offsets"}
_DTYPES: Final[dict[str, NumpyDType]] = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype(np.uint8),
    "I8": np.dtype(np.int8),
    "I16": np.dtype("<i2"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}
_NAMES: Final = {dtype.newbyteorder("="): name for name, dtype in _DTYPES.items()}


class MalformedSafetensors(GradwireError):
    """A body that is not in the safetensors format, or lies about itself."""

    code = "malformed_safetensors"


class Received(np.ndarray[Any, Any]):
    """An array that lies in a body, which belongs to whoever received that: it need not be copied by who does not write into it."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a body in the format holds.

    Attributes:
        metadata: Strings by name.
        tensors: The arrays by name, which lie in the body itself: as long as one of them lives, so does it.
    """

    metadata: Mapping[str, str]
    tensors: Mapping[str, Received]


def loads_strictly(text: bytes) -> Any:
    """Parses JSON without repeated keys.

    Raises:
        ValueError: It is malformed.
        RecursionError: It is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=_without_repeats)


def read(body: bytes | bytearray, loads: Callable[[bytes], Any] = loads_strictly) -> Contents:
    """Takes a body apart; a tensor is a view of it, and not aligned if the body's writer did not see to that.

    Args:
        body: The whole body.
        loads: Parses the header; what it raises beside ``ValueError`` and ``RecursionError`` is passed on.

    Raises:
        MalformedSafetensors: It is cut off, too long, or its header is wrong.
    """
    if len(body) < _LENGTH:
        _fail(f"it has {len(body)} bytes, and the length of its header alone takes {_LENGTH}")
    size = int.from_bytes(body[:_LENGTH], "little")
    if size > _MOST_HEADER_BYTES:
        _fail(f"its header would have {size} bytes, more than the {_MOST_HEADER_BYTES} that are read")
    start = _LENGTH + size
    if start > len(body):
        _fail(f"it ends after {len(body)} bytes, within its header of {size} bytes")
    text = bytes(body[_LENGTH:start])
    if not text.startswith(b"{"):
        _fail("its header does not begin with '{'")
    if text.count(b'"data_offsets"') > MOST_TENSORS:
        _fail(f"it has more than the {MOST_TENSORS} tensors that are read")
    try:
        header = loads(text)
    except RecursionError:
        _fail("its header is nested too deeply")
    except ValueError as error:
        _fail(f"its header is not read: {error}".rstrip("."))
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        _fail(f"the {_METADATA} in its header must be an object of strings")
    if len(header) > MOST_TENSORS:
        _fail(f"it has {len(header)} tensors, more than the {MOST_TENSORS} that are read")
    return Contents(metadata, _tensors(header, body, start))


def write(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> Iterator[Piece]:
    """The body that holds the tensors, in pieces: the header, and every tensor's own memory where it is contiguous.

    Args:
        tensors: The arrays by name, none of them called ``__metadata__``. A complex one is written as real numbers with a trailing
            axis of two. One that is not contiguous is copied when its turn comes.
        metadata: Strings by name.
    """
    header: dict[str, Any] = {_METADATA: dict(metadata)}
    end = 0
    # The larger the elements, the earlier they come, so that all are aligned whatever the sizes.
    order = sorted(tensors.items(), key=lambda item: -to_real(item[1].dtype).itemsize)
    for name, array in order:
        begin, end = end, end + array.nbytes
        shape = [*array.shape, 2] if array.dtype.kind == "c" else list(array.shape)
        header[name] = {"dtype": _NAMES[to_real(array.dtype)], "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    yield len(text).to_bytes(_LENGTH, "little") + text
    for _, array in order:
        if array.nbytes:
            little_endian = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            yield little_endian.reshape(-1).view(np.uint8).data


def _tensors(header: Mapping[str, Any], body: bytes | bytearray, start: int) -> dict[str, Received]:
    """The tensors of a header, which have to lie behind one another from ``start`` to the end of the body."""
    described = {name: _described(name, entry) for name, entry in header.items()}
    expected = 0
    tensors = {}
    for name, (dtype, shape, begin, end) in sorted(described.items(), key=lambda item: item[1][2:]):
        if begin != expected:
            what = "overlaps the one before it" if begin < expected else "leaves a gap before it"
            _fail(f"the tensor {shown(name)} {what}: it begins at {shown(begin)}, expected {expected}")
        count = math.prod(shape)
        if end - begin != count * dtype.itemsize:
            _fail(
                f"the tensor {shown(name)} of shape {list(shape)} takes {shown(count * dtype.itemsize)} bytes, "
                f"but its data_offsets are {shown(end - begin)} apart"
            )
        if start + end > len(body):
            _fail(f"the tensor {shown(name)} ends {shown(start + end - len(body))} bytes behind the end of the body")
        array = np.frombuffer(body, dtype, count, start + begin if count else 0).reshape(shape).view(Received)
        if dtype.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
            _fail(f"the tensor {shown(name)} is BOOL, but has other bytes than 0 and 1")
        tensors[name] = array
        expected = end
    if start + expected != len(body):
        _fail(f"{len(body) - start - expected} bytes follow the last tensor")
    return {name: tensors[name] for name in header}


def _described(name: str, entry: Any) -> tuple[NumpyDType, tuple[int, ...], int, int]:
    """Dtype, shape and offsets of a tensor, each checked by itself."""
    if not isinstance(entry, dict) or entry.keys() != _MEMBERS:
        _fail(f"the tensor {shown(name)} must be described by dtype, shape and data_offsets")
    dtype = _DTYPES.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if dtype is None:
        _fail(f"the tensor {shown(name)} has the dtype {shown(entry['dtype'])}, expected one of {', '.join(_DTYPES)}")
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not _are_sizes(shape):
        _fail(f"the shape of the tensor {shown(name)} must be a list of whole numbers that are not negative")
    if len(shape) > MAX_DIMENSIONS:
        _fail(f"the tensor {shown(name)} has {len(shape)} dimensions, more than the {MAX_DIMENSIONS} of any tensor")
    if math.prod(max(size, 1) for size in shape) > 2**63 // 16 - 1:
        _fail(f"the sizes of the tensor {shown(name)} are larger than any array can be")
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        _fail(f"the data_offsets of the tensor {shown(name)} must be two whole numbers, not negative and in order")
    return dtype, tuple(shape), offsets[0], offsets[1]


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 2**63 for size in value)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _fail(reason: str) -> NoReturn:
    raise MalformedSafetensors(f"The body is no safetensors file: {reason}.")
