"""Samples of largest and smallest elements and their places."""

from __future__ import annotations

from .base import E, S, Sample, T

NAN = float("nan")
# The gradient jumps where elements meet.
TIES = [[1.0, 3.0, 3.0], [3.0, -1.0, -1.0]]


def over_dims() -> list[Sample]:
    """``amax`` and ``amin``."""
    return [
        S(T(())),
        S(T((2, 3))),
        S(T((2, 3)), 0),
        S(T((2, 3)), -1, True),
        S(T((2, 3, 4)), (0, 2)),
        S(T((2, 3, 4)), dim=(0, -1), keepdim=True),
        S(T((2, 3)), ()),
        S(T((2, 3)), None),
        S(T(()), 0),
        S(T(values=TIES)).but(grad2=False),
        S(T(values=TIES), 1).but(grad2=False),
        S(T(values=TIES), 0, True).but(grad2=False),
        S(T(values=[[1.0, NAN], [2.0, 0.0]]), 1).but(grad2=False),
        S(T((0, 3)), 1),
        S(T((3, 4), layout="transposed"), 0),
        S(T((3, 4), layout="expanded"), 0),
        S(T((2, 3), dtype="float32"), 1),
        S(T((2, 3), dtype="float16")),
        S(T((2, 3), dtype="int64"), 1),
        S(T((2, 3), dtype="bool"), 1),
        E(T((0, 3))),
        E(T((0, 3)), 0),
        E(T((0, 3)), -2),
        E(T((2, 3)), 2),
        E(T((2, 3)), (0, 0)),
        E(T(3, dtype="complex128")),
    ]


def three_forms() -> list[Sample]:
    """``max`` and ``min``: of all, along a dimension, of two tensors."""
    return [
        S(T(())),
        S(T((2, 3))),
        S(T(values=TIES)).but(grad2=False),
        S(T(values=[1.0, NAN, 2.0])).but(grad2=False),
        S(T((2, 3), dtype="float32")),
        S(T((2, 3), dtype="int32")),
        S(T((2, 3), dtype="bool")),
        S(T((3, 4), layout="transposed")),
        S(T((2, 3)), 0),
        S(T((2, 3)), -1, True),
        S(T((2, 3, 4)), dim=1, keepdim=True),
        S(T(()), 0),
        S(T(()), -1, True),
        S(T(values=TIES), 1).but(grad2=False),
        S(T(values=TIES), 0).but(grad2=False),
        S(T(values=[[1.0, NAN, 2.0, NAN]]), 1),
        S(T((0, 3)), 1),
        S(T((3, 4), layout="strided"), 1),
        S(T((2, 3), dtype="float32"), 1),
        S(T((2, 3), dtype="int64"), 1),
        S(T((2, 3), dtype="bool"), 1),
        S(T((2, 3)), T((3,))),
        S(T((2, 3)), other=T((2, 1))),
        S(T((2, 3), dtype="float32"), T((3,), dtype="int64")),
        E(T((0, 3))),
        E(T((0, 3)), 0),
        E(T((0, 3)), -2),
        E(T((2, 3)), 2),
        E(T((2, 3)), None),
        E(T(3, dtype="complex128")),
        E(T(3, dtype="complex128"), 0),
    ]


PLACES = [
    S(T(())),
    S(T(()), 0),
    S(T((2, 3))),
    S(T((2, 3)), 0),
    S(T((2, 3)), -1, True),
    S(T((2, 3)), None, True),
    S(T((2, 3)), keepdim=True),
    S(T(values=TIES)),
    S(T(values=TIES), 1),
    S(T(values=[1.0, NAN, 3.0, NAN])),
    S(T((3, 4), layout="transposed"), 0),
    S(T((3, 4), layout="transposed")),
    S(T((2, 3), dtype="int64"), 1),
    S(T((0, 3)), 1),
    E(T((0, 3))),
    E(T((0, 3)), 0),
    E(T((2, 3)), 2),
    E(T(3, dtype="bool")),
    E(T(3, dtype="complex128")),
]

SAMPLES: dict[str, list[Sample]] = {
    "amax": over_dims(),
    "amin": over_dims(),
    "max": three_forms(),
    "min": three_forms(),
    "aminmax": [
        S(T(())),
        S(T((2, 3))),
        S(T((2, 3)), dim=0),
        S(T((2, 3)), dim=-1, keepdim=True),
        S(T((2, 3)), keepdim=True),
        S(T(()), dim=0),
        S(T(values=TIES)).but(grad2=False),
        S(T(values=TIES), dim=1).but(grad2=False),
        S(T((3, 4), layout="transposed"), dim=0),
        S(T((2, 3), dtype="float32"), dim=0),
        S(T((2, 3), dtype="int64"), dim=0),
        S(T((2, 3), dtype="bool")),
        S(T((0, 3)), dim=1),
        E(T((0, 3))),
        E(T((0, 3)), dim=0),
        E(T((2, 3)), dim=2),
        E(T(3, dtype="complex128")),
    ],
    "argmax": PLACES,
    "argmin": PLACES,
}
