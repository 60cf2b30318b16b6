"""Samples of the functions of one element, of the rounding ones and of the special ones."""

from __future__ import annotations

from .base import E, S, Sample, T, binary, unary

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128")
NAN, INF = float("nan"), float("inf")
LOOSE = 2e-3


def real(low: float = -2.0, high: float = 2.0, at: tuple[float, ...] = ()) -> list[Sample]:
    """A function of real numbers between ``low`` and ``high``: every shape and real dtype, and special values."""
    whole = [S(T(3, dtype=d, grad=False, low=max(low, 0), high=max(high, 1))) for d in DTYPES[:6]]
    half = S(T(3, dtype="float16", low=low, high=high, grad=False)).but(rtol=LOOSE)
    special = S(T(8, values=[NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5], grad=False))
    ends = [S(T(len(at), values=list(at))).but(grad2=False)] if at else []
    return [*unary(low=low, high=high), *whole, half, special, *ends]


def holomorphic(low: float = -2.0, high: float = 2.0, at: tuple[float, ...] = ()) -> list[Sample]:
    """The same, and complex numbers."""
    return [
        *real(low, high, at),
        S(T((2, 3), dtype="complex128")),
        S(T(3, dtype="complex64")).but(grad2=False, rtol=1e-4),
        S(T((3, 4), dtype="complex128", layout="transposed")),
    ]


def rounding(kernel_dtypes: tuple[str, ...] = DTYPES[1:9]) -> list[Sample]:
    """A function that takes numbers to whole ones."""
    return [
        *unary(low=-3.0, high=3.0),
        *[S(T(4, dtype=d, grad=False, low=0, high=9)) for d in kernel_dtypes],
        S(T(8, values=[0.5, 1.5, 2.5, -0.5, -1.5, NAN, INF, -0.0])),
    ]


SAMPLES: dict[str, list[Sample]] = {
    "exp": holomorphic(),
    "exp2": holomorphic(),
    "expm1": holomorphic(at=(1e-9, -1e-9)),
    "log": holomorphic(0.1, 3.0, at=(0.0,)),
    "log2": holomorphic(0.1, 3.0, at=(0.0,)),
    "log10": holomorphic(0.1, 3.0, at=(0.0,)),
    "log1p": holomorphic(-0.9, 3.0, at=(1e-9, -1e-9)),
    "sqrt": holomorphic(0.1, 3.0, at=(0.0,)),
    "rsqrt": holomorphic(0.1, 3.0),
    "sin": holomorphic(),
    "cos": holomorphic(),
    "tan": holomorphic(-1.0, 1.0),
    "asin": holomorphic(-0.9, 0.9),
    "acos": holomorphic(-0.9, 0.9),
    "atan": holomorphic(),
    "sinh": holomorphic(),
    "cosh": holomorphic(),
    "tanh": holomorphic(),
    "asinh": holomorphic(),
    "acosh": holomorphic(1.1, 3.0),
    "atanh": holomorphic(-0.9, 0.9),
    "sigmoid": holomorphic(at=(-100.0, 100.0)),
    "sinc": holomorphic(),
    "logit": [
        *real(0.1, 0.9),
        S(T((2, 3), low=0.1, high=0.9), 0.2),
        S(T((2, 3), low=-1.0, high=2.0), eps=0.1),
        S(T(3, values=[0.0, 1.0, 0.5])).but(grad2=False),
        E(T(3, dtype="complex64")),
    ],
    "deg2rad": [*real(), E(T(3, dtype="complex64"))],
    "rad2deg": [*real(), E(T(3, dtype="complex128"))],
    "floor": [*rounding(), E(T(3, dtype="bool")), E(T(3, dtype="complex64"))],
    "ceil": [*rounding(), E(T(3, dtype="bool")), E(T(3, dtype="complex64"))],
    "trunc": [*rounding(), E(T(3, dtype="bool")), E(T(3, dtype="complex64"))],
    "frac": [*rounding(DTYPES[6:9]), E(T(3, dtype="bool")), E(T(3, dtype="int64")), E(T(3, dtype="complex64"))],
    "round": [
        *rounding(),
        S(T((2, 3)), decimals=1),
        S(T((2, 3), low=-30.0, high=30.0), decimals=-1),
        S(T((2, 3), dtype="float32"), decimals=2),
        S(T((2, 3)), decimals=0),
        E(T(3, dtype="bool")),
        E(T(3, dtype="complex64")),
        E(T(3, dtype="int64"), decimals=1),
        E(T(3, dtype="int64"), decimals=0),
        E(T(3), decimals=1.5),
    ],
    "sign": [*rounding(DTYPES[:9]), E(T(3, dtype="complex64"))],
    "erf": [*real(-3.0, 3.0), E(T(3, dtype="complex64"))],
    "erfc": [*real(-3.0, 3.0), E(T(3, dtype="complex64"))],
    "erfinv": [*real(-0.9, 0.9), E(T(3, dtype="complex64"))],
    "lgamma": [
        s if s.error else s.but(rtol=s.rtol or 1e-6)
        for s in (*real(0.3, 4.0), S(T(4, values=[-1.5, -2.5, 0.5, 7.0])), E(T(3, dtype="complex64")))
    ],
    # torch's own digamma and polygamma are good to nine digits.
    "digamma": [
        s if s.error else s.but(rtol=s.rtol or 1e-6)
        for s in (
            *real(0.3, 4.0),
            S(T(4, values=[-1.5, -2.5, 0.5, 7.0])),
            S(T(3, values=[0.0, -0.0, -1.0], grad=False)),
            E(T(3, dtype="complex64")),
        )
    ],
    "special.polygamma": [
        S(0, T(3, low=0.5, high=3.0)).but(rtol=1e-8),
        S(1, T((2, 3), low=0.5, high=3.0)).but(rtol=1e-8),
        S(2, T((2, 3), low=0.5, high=3.0)).but(rtol=1e-8),
        S(1, T(3, dtype="float32", low=0.5, high=3.0)).but(rtol=1e-4),
        S(1, T((), low=0.5, high=3.0)).but(rtol=1e-8),
        S(1, T((0,))),
        E(-1, T(3)),
        E(1, T(3, dtype="complex64")),
    ],
    "xlogy": [
        *binary(b={"low": 0.5, "high": 2.5}),
        *[S(T(3, dtype=d, grad=False, low=1, high=5), T(3, dtype=d, grad=False, low=1, high=5)) for d in DTYPES[:9]],
        S(T(3, values=[0.0, 0.0, 2.0]), T(3, values=[0.0, 1.0, NAN], grad=False)).but(grad2=False),
        S(2, T(3, low=0.5)),
        S(T(3), 2),
        S(T(3, values=[0.0, 1.0, 2.0]), 0).but(grad2=False),
        E(T(3, dtype="complex64"), T(3)),
    ],
}
