"""Samples of splitting a tensor into several views."""

from __future__ import annotations

from .base import E, S, Sample, T

_CUBE, _SCALAR, _NONE = T((2, 3, 4)), T(()), T((0, 3))


def _named_splits(dims: tuple[int, ...]) -> list[Sample]:
    return [S(T(dims), 2), S(T(dims), (1,)), S(T(dims), [1, 3]), S(T(dims), (2, 1)), E(T(dims), 3), E(T(dims), 0), E(_SCALAR, 2)]


SAMPLES: dict[str, list[Sample]] = {
    "unbind": [
        S(_CUBE),
        S(_CUBE, 1),
        S(_CUBE, -1),
        S(T(3)),
        S(T((2, 0))),
        S(T((3, 4), layout="transposed")),
        S(T((2, 3), dtype="int64")),
        E(_SCALAR),
        E(_CUBE, 5),
    ],
    "split": [
        S(_CUBE, 2, 2),
        S(_CUBE, 3, -1),
        S(_CUBE, 10),
        S(T(6), 4),
        S(_CUBE, [1, 3], 2),
        S(_CUBE, (1, 0, 2), 1),
        S(_NONE, 0),
        S(_NONE, 2),
        S(T((3, 4), layout="transposed"), 2),
        S(T(5, dtype="int64"), 2),
        E(_CUBE, [1, 2], 2),
        E(_CUBE, [1, -1, 4], 2),
        E(_CUBE, 0, 2),
        E(_CUBE, -1, 2),
        E(_SCALAR, 1),
        E(_CUBE, 2, 7),
    ],
    "split_with_sizes": [S(_CUBE, [1, 3], 2), S(T(6), (6,)), E(_CUBE, [1, 2], 2), E(_SCALAR, [1])],
    "chunk": [
        S(T(6), 4),
        S(T(6), 7),
        S(T(6), 2),
        S(_CUBE, 2, 1),
        S(_NONE, 2),
        S(T(5, dtype="int64"), 2),
        E(T(6), 0),
        E(_SCALAR, 1),
        E(_CUBE, 2, 7),
    ],
    "tensor_split": [
        S(T(6), 4),
        S(T(6), 8),
        S(T(6), (1, 3)),
        S(T(6), (3, 1)),
        S(_CUBE, (1, 2), dim=-1),
        S(T(6), T(values=[1, 3], dtype="int64")),
        S(T(6), T(values=4, dtype="int64")),
        E(T(6), 0),
        E(_SCALAR, 1),
        E(_CUBE, 2, 5),
    ],
    "hsplit": [S(T(4), 2), *_named_splits((3, 4))],
    "vsplit": _named_splits((4, 2)),
    "dsplit": _named_splits((2, 2, 4)),
}
