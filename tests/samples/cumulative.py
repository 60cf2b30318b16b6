"""Samples of running sums, products, extrema and log-sum-exps."""

from __future__ import annotations

from .base import E, S, Sample, T

NAN = float("nan")
INF = float("inf")


def along_dim() -> list[Sample]:
    """What every one of them is tried on."""
    return [
        S(T(()), 0),
        S(T(()), -1),
        S(T(4), 0),
        S(T(1), 0),
        S(T((2, 3)), 0),
        S(T((2, 5)), -1),
        S(T((2, 3, 4)), dim=1),
        S(T((0, 3)), 0),
        S(T((0, 3)), 1),
        S(T((3, 4), layout="transposed"), 0),
        S(T((3, 4), layout="strided"), 1),
        S(T((2, 3), dtype="float32"), 1),
        E(T((2, 3)), 2),
        E(T((2, 3))),
        E(T((2, 3)), "a"),
    ]


# By name where the in-place form cannot hold the result.
SUMS = [
    S(T((2, 3), dtype="int32"), 1),
    S(input=T((2, 3), dtype="bool"), dim=1),
    S(input=T((2, 3), dtype="int64"), dim=1, dtype="float32"),
    S(input=T((2, 3), dtype="float32"), dim=1, dtype="float64"),
    S(input=T((2, 3)), dim=1, dtype="float32").but(rtol=1e-5, grad=False),
    S(T((2, 3), dtype="complex128"), 1),
    S(T((2, 3), dtype="float16"), 1).but(rtol=1e-2),
    E(T(()), 1),
]

EXTREMA = [
    S(T(values=[1.0, 1.0, 2.0, 0.0, 2.0, -1.0]), 0),
    S(T(values=[1.0, 1.0, NAN, 0.0, NAN, -1.0]), 0),
    S(T((2, 3), dtype="int64"), 1),
    S(T((2, 3), dtype="bool"), 1),
    E(T(()), 1),
    E(T(3, dtype="complex128"), 0),
]

SAMPLES: dict[str, list[Sample]] = {
    "cumsum": [*along_dim(), *SUMS],
    "cumprod": [
        *along_dim(),
        *SUMS,
        S(T(values=[2.0, 0.0, 3.0, 4.0]), 0),
        S(T(values=[2.0, 0.0, 3.0, 0.0, 5.0]), 0),
        S(T(values=[[0.0, 0.0, 3.0], [1.0, 2.0, 0.0]]), 1),
        S(T(values=[[0.0, 0.0, 3.0], [1.0, 2.0, 0.0]]), 0),
        S(T(9), 0),
    ],
    "cummax": [*along_dim(), *EXTREMA],
    "cummin": [*along_dim(), *EXTREMA],
    "logcumsumexp": [
        *along_dim(),
        S(T(values=[-INF, 1.0, 2.0]), 0).but(grad=False),
        S(T(values=[700.0, 710.0, -700.0]), 0),
        S(T(3, dtype="float16"), 0),
        S(T(3, dtype="complex128"), 0),
        E(T(()), 1),
        E(T(3, dtype="int64"), 0),
    ],
}
