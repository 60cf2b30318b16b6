"""Samples of comparisons, tests, logic and bits."""

from __future__ import annotations

from .base import E, S, Sample, T, binary, unary

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128")
NAN, INF = float("nan"), float("inf")
TIES = S(T(4, values=[1.0, 2.0, NAN, INF]), T(4, values=[1.0, 3.0, NAN, -INF]))


def comparison(*, ordered: bool) -> list[Sample]:
    """What every comparison is tried on."""
    return [
        *binary(),
        *[S(T((2, 3), dtype=d, grad=False), T(3, dtype=d, grad=False)) for d in DTYPES[: 9 if ordered else 11]],
        *[S(T(3, dtype=d, values=[0, 1, 1], grad=False), number) for d in DTYPES[:9] for number in (1, 0.5, True)],
        S(T(3), 1),
        S(T(3, dtype="int8", low=0, high=9), 300),
        S(T(3, dtype="uint8", low=0, high=9), -1),
        TIES,
        *([E(T(3, dtype="complex64"), T(3)), E(T(3), 1j)] if ordered else [S(T(3, dtype="complex64", values=[1, 2, 1j]), 1j)]),
    ]


def test_of_elements() -> list[Sample]:
    """What ``isnan`` and its like are tried on."""
    return [
        *unary(),
        *[S(T(3, dtype=d, grad=False)) for d in DTYPES],
        S(T(4, values=[NAN, INF, -INF, 0.0])),
        S(T(3, dtype="complex128", values=[complex(NAN, 1), complex(0, INF), 1j])),
    ]


def logic() -> list[Sample]:
    """What the logical functions of two tensors are tried on."""
    return [*binary(), *[S(T((2, 4), dtype=d, low=0, high=2), T(4, dtype=d, low=0, high=2)) for d in DTYPES], TIES]


def bits() -> list[Sample]:
    """What the bitwise functions of two tensors are tried on."""
    return [
        *[S(T((2, 4), dtype=d, low=-20, high=20), T(4, dtype=d, low=-20, high=20)) for d in DTYPES[:6]],
        *[S(T(3, dtype=d, low=0, high=9), 5) for d in DTYPES[:6]],
        S(T(3, dtype="int8"), 300),
        S(T(3, dtype="bool"), True),
        S(5, T(3, dtype="int64")),
        S(T((0, 3), dtype="int64"), T(3, dtype="int32")),
        E(T(3), T(3)),
        E(T(3, dtype="int64"), 2.5),
        E(T(3, dtype="complex64"), 2),
        E(T((2, 3), dtype="int64"), T(2, dtype="int64")),
    ]


SAMPLES: dict[str, list[Sample]] = {
    "eq": comparison(ordered=False),
    "ne": comparison(ordered=False),
    "lt": comparison(ordered=True),
    "le": comparison(ordered=True),
    "gt": comparison(ordered=True),
    "ge": comparison(ordered=True),
    "isnan": test_of_elements(),
    "isinf": test_of_elements(),
    "isfinite": test_of_elements(),
    "isclose": [
        *[s for s in binary() if len({a.dtype for a in s.args}) == 1],
        *[S(T((2, 3), dtype=d, low=0, high=3), T(3, dtype=d, low=0, high=3)) for d in DTYPES],
        TIES,
        S(T(4, values=[1.0, 2.0, NAN, INF]), T(4, values=[1.0, 3.0, NAN, INF]), equal_nan=True),
        S(T(3, values=[1.0, 2.0, 3.0]), T(3, values=[1.01, 2.2, 3.0]), rtol=0.02),
        S(T(3, values=[1.0, 2.0, 3.0]), T(3, values=[1.01, 2.2, 3.0]), rtol=0.0, atol=0.05),
        E(T(3), T(3, dtype="float32")),
        E(T(3), T(3), rtol=-1.0),
        E(T(3), T(3), atol=-0.5),
    ],
    "logical_and": logic(),
    "logical_or": logic(),
    "logical_xor": logic(),
    "logical_not": test_of_elements(),
    "bitwise_and": bits(),
    "bitwise_or": bits(),
    "bitwise_xor": bits(),
    "bitwise_not": [
        *[S(T((2, 3), dtype=d, low=-20, high=20)) for d in DTYPES[:6]],
        S(T((3, 4), dtype="int64", layout="transposed")),
        S(T((0, 3), dtype="int64")),
        E(T(3)),
        E(T(3, dtype="complex64")),
    ],
}
