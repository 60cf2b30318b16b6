"""Samples of copies and conversions."""

from __future__ import annotations

from .base import E, S, Sample, T, unary

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128")


def cast() -> list[Sample]:
    """What ``float()`` and its like are tried on."""
    return [
        *[S(T((2, 3), dtype=d, low=0, high=9)) for d in DTYPES],
        S(T((), dtype="float32")),
        S(T((0, 3), dtype="float32")),
        S(T((3, 4), dtype="float32", layout="transposed")),
    ]


SAMPLES: dict[str, list[Sample]] = {
    "clone": [*unary(), *[S(T(3, dtype=d)) for d in DTYPES]],
    "contiguous": [*unary(), S(T((2, 3, 4), layout="transposed")), S(T((3, 4), dtype="complex128", layout="transposed"))],
    "detach": unary(),
    "to": [
        *[
            S(T((2, 3), dtype=a, low=0, high=9), b)
            for a in DTYPES
            for b in ("bool", "uint8", "int64", "float16", "float32", "float64", "complex128")
        ],
        S(T((2, 3)), "float64", copy=True),
        S(T((2, 3)), dtype="float32", non_blocking=True),
        S(T((2, 3)), T(1, dtype="float32", grad=False)),
        S(T((3, 4), layout="transposed"), "float32"),
        S(T((3, 4), layout="strided"), "float32"),
        S(T((0, 3)), "float32"),
        S(T((2, 3)), "cpu"),
        S(T((2, 3)), "cpu", "float32"),
        S(T((2, 3)), device="cpu", dtype="float32"),
        E(T(3), "nowhere").but(same_error_text=False),
    ],
    "type_as": [S(T((2, 3)), T(1, dtype="float32")), S(T((2, 3)), T(1)), S(T(3, dtype="int64"), T(()))],
    **{name: cast() for name in ("float", "double", "half", "int", "long", "short", "char", "byte", "bool", "cfloat", "cdouble")},
    "copy": [
        S(T((2, 3)), T((2, 3))).but(grad_fn=False),
        S(T((2, 3)), T(3)).but(grad_fn=False),
        S(T((2, 3)), T(())).but(grad_fn=False),
        S(T((2, 3)), T((2, 3), dtype="float32")).but(grad_fn=False),
        S(T((2, 3), grad=False), T(3)).but(grad_fn=False),
        S(T((2, 3)), T((2, 3), dtype="int64")).but(grad_fn=False),
        S(T((2, 3), dtype="complex128"), T(3)).but(grad_fn=False),
        S(T((0, 3)), T(3)).but(grad_fn=False),
        S(T((3, 4), layout="transposed"), T((3, 4))).but(grad_fn=False),
        *[S(T((2, 3), dtype=d, grad=False), T(3, grad=False)) for d in DTYPES[1:]],
        S(T((2, 3), dtype="int64"), T(3, dtype="bool")),
        E(T((2, 3)), T(2)),
    ],
    "fill": [
        S(T((2, 3)), 2),
        S(T((2, 3)), T(())),
        S(T((2, 3), dtype="float32"), T(())),
        S(T((2, 3), grad=False), T(())),
        S(T((2, 3), dtype="complex128"), 1j),
        S(T((3, 4), layout="transposed"), 1.5),
        S(T((0, 3)), 1),
        S(T(()), 1),
        *[S(T((2, 3), dtype=d, grad=False), 1.5) for d in DTYPES],
        E(T((2, 3)), T(3)),
        E(T((2, 3)), 1j),
        E(T((2, 3), dtype="int8"), 300),
    ],
    "zero": [*[s.but(grad_fn=False) for s in unary()], *[S(T(3, dtype=d, grad=False)) for d in DTYPES]],
}
