"""Samples of gathering and scattering, and of selecting by index vectors and masks."""

from __future__ import annotations

from typing import Any

from .base import E, S, Sample, T

_MATRIX, _OTHER, _V, _SCALAR = T((3, 4)), T((3, 4)), T(6), T(())
_SINGLE = T((3, 4), dtype="float32")
_WHOLE = T((3, 4), dtype="int64", low=-9, high=9)
_TURNED = T((3, 4), layout="transposed")


def index(values: Any, dtype: str = "int64") -> T:
    return T(values=values, dtype=dtype, grad=False)


_TABLE = [[0, 1, 2, 0], [2, 2, 1, 0]]
_PLACES = index(_TABLE)
_TWO = index([0, 2])
_MASK = T(values=[[True, False, True, False], [False, True, True, False], [True, True, False, False]], dtype="bool")
_ROW_MASK = T(values=[True, False, True, False], dtype="bool")


def from_values(sample: Sample) -> Sample:
    return sample.but(error_from_values=True)


SAMPLES: dict[str, list[Sample]] = {
    "gather": [
        S(_MATRIX, 0, _PLACES),
        S(_MATRIX, 1, index([[0, 3], [1, 1], [2, 0]])),
        S(_MATRIX, -1, index([[0], [1]])),
        S(_MATRIX, 0, index(_TABLE, "int32")),
        S(_MATRIX, 0, _PLACES, sparse_grad=False),
        S(_TURNED, 0, _PLACES),
        S(_SINGLE, 0, _PLACES),
        S(_WHOLE, 0, _PLACES),
        S(_SCALAR, 0, index(0)),
        S(_SCALAR, 0, index([0, 0])),
        S(_V, 0, index(1)),
        S(_MATRIX, 0, index([], "int64")),
        from_values(E(_MATRIX, 1, index([[9]]))),
        from_values(E(_MATRIX, 0, index([[-1]]))),
        E(_MATRIX, 0, index([[0.0]], "float32")),
        E(_MATRIX, 0, index([0])),
        E(_MATRIX, 0, index([[0] * 5])),
        E(_MATRIX, 2, _PLACES),
    ],
    "take_along_dim": [
        S(_MATRIX, _PLACES, 0),
        S(_MATRIX, index([[0], [0], [1]]), 1),
        S(_MATRIX, index([[1]]), 0),
        S(_MATRIX, index([0, 1])),
        E(_MATRIX, index([[0], [0]]), 1),
        E(_MATRIX, index([0]), 0),
        E(_MATRIX, index(_TABLE, "int32"), 0),
    ],
    "scatter": [
        S(_MATRIX, 0, _PLACES, 2.5),
        S(_MATRIX, 0, _PLACES, value=2.5),
        S(_MATRIX, 0, index([[0, 1, 2, 0], [2, 2, 1, 1]]), T((2, 4))),
        # torch has no gradient for a source that is larger than the index.
        S(_MATRIX, 0, index([[0, 1, 2, 0], [2, 2, 1, 1]]), _OTHER).but(grad=False),
        S(_MATRIX, 1, index([[3], [0]]), T((3, 2))).but(grad=False),
        S(_MATRIX, 0, index([[0, 1, 2, 0]], "int32"), T((1, 4))),
        S(_SINGLE, 0, index([[0, 1, 2, 0]]), T((1, 4), dtype="float32")),
        S(_WHOLE, 0, _PLACES, 1.7),
        S(_SCALAR, 0, index(0), _SCALAR),
        S(_TURNED, 0, index([[0, 1, 2, 0]]), T((1, 4))),
        E(_MATRIX, 0, _PLACES, T((1, 4))),
        E(_MATRIX, 0, _PLACES, T((3, 4), dtype="float32")),
        from_values(E(_MATRIX, 0, index([[5]]), _OTHER)),
        E(_MATRIX, 0, index([0]), _OTHER),
        E(_MATRIX, 0, index([[0]]), _SCALAR),
        E(_MATRIX, 0, index([[0.0]], "float32"), _OTHER),
        E(_MATRIX, 0, index([[0] * 5]), T((2, 5))),
        E(_SINGLE, 0, _PLACES, 1e300),
    ],
    "scatter_add": [
        S(_MATRIX, 0, _PLACES, T((2, 4))),
        S(_MATRIX, 0, _PLACES, _OTHER).but(grad=False),
        S(_MATRIX, 1, index([[1, 1, 1]]), T((1, 3))),
        S(_SINGLE, 0, _PLACES, T((2, 4), dtype="float32")),
        S(_WHOLE, 0, _PLACES, T((2, 4), dtype="int64")),
        S(_SCALAR, 0, index(0), _SCALAR),
        S(_SCALAR, 0, index([0]), T(1)),
        S(_TURNED, 0, _PLACES, T((2, 4))),
        E(_MATRIX, 0, _PLACES, T((2, 4), dtype="float32")),
        E(_MATRIX, 0, _PLACES, T((1, 4))),
        E(_MATRIX, 0, _PLACES, 2.0),
        from_values(E(_MATRIX, 0, index([[0, 7]]), _OTHER)),
    ],
    "take": [
        S(_MATRIX, index([0, 5])),
        S(_MATRIX, index([[0], [-1]])),
        S(_MATRIX, index([3, 3, 3])),
        S(_MATRIX, index(3)),
        S(_SCALAR, index([0, 0])),
        S(_TURNED, index([1, 2])),
        S(_SINGLE, index([1])),
        S(_MATRIX, index([], "int64")),
        from_values(E(_MATRIX, index([12]))),
        from_values(E(_MATRIX, index([-13]))),
        E(_MATRIX, index([1.0], "float32")),
        E(_MATRIX, index([1], "int32")),
        E(T(0), index([0])),
    ],
    "put": [
        S(_MATRIX, index([0, 5]), T(2)),
        S(_MATRIX, index([0, 5, 0]), T(3), accumulate=True),
        S(_MATRIX, index([[0], [-1]]), T(2)),
        S(_SCALAR, index([0]), T(1)),
        S(_TURNED, index([1]), _SCALAR),
        E(_MATRIX, index([0, 5]), T(3)),
        from_values(E(_MATRIX, index([0, 15]), T(2))),
        E(_MATRIX, index([0, 1]), T(2, dtype="float32")),
        E(_MATRIX, index([0.0, 1.0], "float32"), T(2)),
    ],
    "index_select": [
        S(_MATRIX, 0, _TWO),
        S(_MATRIX, -1, index([1, 1, 0])),
        S(_MATRIX, 0, index(1)),
        S(_MATRIX, 0, index([1], "int32")),
        S(_SCALAR, 0, index(0)),
        S(_SCALAR, 0, index([0])),
        S(_TURNED, 1, _TWO),
        S(_SINGLE, 0, _TWO),
        S(_WHOLE, 0, _TWO),
        S(_MATRIX, 0, index([], "int64")),
        E(_SCALAR, 0, index([0, 0])),
        E(_MATRIX, 0, index([[0]])),
        from_values(E(_MATRIX, 0, index([5]))),
        from_values(E(_MATRIX, 0, index([-1]))),
        E(_MATRIX, 0, index([1.0], "float32")),
        E(_MATRIX, 2, _TWO),
    ],
    "index_add": [
        S(_MATRIX, 0, _TWO, T((2, 4))),
        S(_MATRIX, 1, index([1, 1]), T((3, 2)), alpha=2),
        S(_MATRIX, 0, index(0), T((1, 4))),
        S(_SCALAR, 0, index(0), _SCALAR),
        S(_SINGLE, 0, _TWO, T((2, 4), dtype="float32")),
        S(_WHOLE, 0, _TWO, T((2, 4), dtype="int64")),
        S(_TURNED, 0, _TWO, T((2, 4))),
        E(_MATRIX, 0, _TWO, _OTHER),
        from_values(E(_MATRIX, 0, index([0, 5]), T((2, 4)))),
        from_values(E(_MATRIX, 0, index([0, -1]), T((2, 4)))),
        E(_MATRIX, 0, _TWO, T((2, 2))),
        E(_MATRIX, 0, _TWO, T((2, 4), dtype="float32")),
        E(_MATRIX, 0, index([0.0, 1.0], "float32"), T((2, 4))),
        E(_MATRIX, 0, index([[0, 2]]), T((2, 4))),
        E(_V, 0, index(1), _SCALAR),
        E(_MATRIX, 3, _TWO, T((2, 4))),
    ],
    "index_copy": [
        S(_MATRIX, 0, _TWO, T((2, 4))),
        S(_MATRIX, 1, index([3, 0]), T((3, 2))),
        S(_MATRIX, 0, index(0), T((1, 4))),
        S(_SCALAR, 0, index([0]), _SCALAR),
        S(_TURNED, 0, _TWO, T((2, 4))),
        S(_WHOLE, 0, _TWO, T((2, 4), dtype="int64")),
        E(_MATRIX, 0, _TWO, _OTHER),
        from_values(E(_MATRIX, 0, index([0, 7]), T((2, 4)))),
        E(_MATRIX, 0, _TWO, T((2, 4), dtype="float32")),
        E(_MATRIX, 0, _TWO, T((2, 3))),
        E(_MATRIX, 0, _TWO, _SCALAR),
        E(_MATRIX, 0, _TWO, T(2)),
        E(_MATRIX, 0, index([[0, 2]]), T((2, 4))),
        E(_MATRIX, 0, index([0.0], "float32"), T((1, 4))),
    ],
    "index_fill": [
        S(_MATRIX, 0, _TWO, 2.5),
        S(_MATRIX, -1, index([0, -1]), 1),
        S(_MATRIX, 0, index(0), 1),
        S(_SCALAR, 0, index(0), 1),
        S(_MATRIX, 0, index([0, 0]), _SCALAR),
        S(_WHOLE, 0, _TWO, 1.5),
        S(_TURNED, 0, _TWO, 0),
        E(_MATRIX, 0, _TWO, _V),
        from_values(E(_MATRIX, 0, index([0, 5]), 1)),
        E(_MATRIX, 0, index([[0]]), 1),
        E(_MATRIX, 0, index([0.0], "float32"), 1),
        E(_MATRIX, 0, index([0], "int32"), 1),
        E(_MATRIX, 0, _TWO, 1j),
    ],
    "masked_select": [
        S(_MATRIX, _MASK),
        S(_MATRIX, _ROW_MASK),
        S(_MATRIX, T(values=True, dtype="bool")),
        S(_SCALAR, T(values=True, dtype="bool")),
        S(_SCALAR, _ROW_MASK),
        S(_TURNED, _MASK),
        S(_SINGLE, _MASK),
        S(_WHOLE, _MASK),
        E(_MATRIX, T(values=[True, False], dtype="bool")),
        E(_MATRIX, index([1, 0, 1, 0], "uint8")),
    ],
    "masked_scatter": [
        S(_MATRIX, _MASK, _OTHER),
        S(_MATRIX, _ROW_MASK, _OTHER),
        S(_MATRIX, _MASK, T(7)),
        S(_TURNED, _MASK, _V),
        S(_WHOLE, _MASK, T(7, dtype="int64")),
        from_values(E(_MATRIX, T(values=True, dtype="bool"), _V)),
        E(_MATRIX, _MASK, T(7, dtype="float32")),
        E(_MATRIX, _MATRIX, _OTHER).but(same_error_text=False),
        E(_MATRIX, _MASK, 2.0),
    ],
}
