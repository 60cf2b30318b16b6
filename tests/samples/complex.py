"""Samples of complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import E, S, Sample, T, unary

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128")
COMPLEX: dict[str, Any] = {"dtype": "complex128"}
ZERO = S(T(3, dtype="complex128", values=[0, 1 + 1j, -2j]))


def of_complex() -> list[Sample]:
    """Complex tensors of every shape."""
    return [
        *[S(T(shape, **COMPLEX)) for shape in ((), 3, (2, 3), (0,), (2, 0, 3))],
        S(T((3, 4), layout="transposed", **COMPLEX)),
        S(T((3, 4), layout="strided", **COMPLEX)),
        S(T((2, 3), dtype="complex64")),
        S(T((2, 3), grad=False, **COMPLEX)),
    ]


def of_real(*dtypes: str) -> list[Sample]:
    """Real tensors of these dtypes, without gradients."""
    return [S(T(3, dtype=d, grad=False)) for d in dtypes]


SAMPLES: dict[str, list[Sample]] = {
    # torch's conj is a view that conjugates when it is read; here it is a copy.
    "conj": [*[s.but(view=False) for s in of_complex()], *of_real(*DTYPES[:9]), S(T(3))],
    "conj_physical": [*of_complex(), *of_real(*DTYPES[:9])],
    "resolve_conj": [*of_complex(), *of_real(*DTYPES)],
    "real": [*of_complex(), *of_real(*DTYPES[:9]), S(T(3))],
    "imag": [*of_complex(), E(T(3)), E(T(3, dtype="int64"))],
    # torch cannot walk back through an empty one.
    "view_as_real": [*[s.but(grad=0 not in np.atleast_1d(s.args[0].shape)) for s in of_complex()], E(T(3)), E(T(3, dtype="int64"))],
    "view_as_complex": [
        S(T((3, 2))),
        S(T(2)),
        S(T((2, 3, 2), dtype="float32")),
        E(T(3)),
        E(T(())),
        E(T((3, 2), dtype="int64")),
        E(T((2, 2), layout="transposed")),
    ],
    "abs": [
        *unary(),
        *of_complex(),
        ZERO,
        *of_real(*DTYPES[1:]),
        S(T(3, values=[0.0, -0.0, 1.0])),
        S(T(2, dtype="int8", values=[-128, 5])),
        E(T(3, dtype="bool")),
    ],
    "sgn": [*unary(), *of_complex(), ZERO, *of_real(*DTYPES)],
    "angle": [
        *unary(),
        *[s for s in of_complex() if s.args[0].layout != "transposed"],
        *of_real(*DTYPES),
        S(T(4, values=[0.0, -0.0, -1.0, float("nan")])),
    ],
    "complex": [
        S(T((2, 3)), T((2, 3))),
        S(T((2, 3)), T(3)),
        S(T(()), T(3)),
        S(T((0, 3)), T(3)),
        S(T((2, 3), dtype="float32"), T(3, dtype="float32")),
        S(T((3, 4), layout="transposed"), T((3, 4), layout="transposed")),
        S(T(3), T(3, grad=False)),
        E(T(3), T(3, dtype="float32")),
        E(T(3, dtype="int64"), T(3, dtype="int64")),
        E(T(3, dtype="complex64"), T(3)),
    ],
    "polar": [
        S(T((2, 3), low=0.5), T((2, 3))),
        S(T((2, 3), low=0.5), T(3)),
        S(T((), low=0.5), T(3)),
        S(T((0, 3)), T(3)),
        S(T((2, 3), dtype="float32", low=0.5), T(3, dtype="float32")),
        E(T(3), T(3, dtype="float32")),
        E(T(3, dtype="int64"), T(3, dtype="int64")),
    ],
}
