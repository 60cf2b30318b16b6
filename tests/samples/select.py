"""Samples of where, the larger and the smaller, limits and masks."""

from __future__ import annotations

from .base import E, S, Sample, T, binary, unary

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128")
NAN, INF = float("nan"), float("inf")
MASK = T((2, 3), dtype="bool")
TIED = [T(4, values=[1.0, 2.0, -3.0, 0.0]), T(4, values=[1.0, 3.0, -4.0, -0.0])]
WITH_NAN = [T(4, values=[1.0, NAN, 2.0, NAN]), T(4, values=[NAN, 1.0, 2.0, NAN])]


def extremum() -> list[Sample]:
    """What the larger or the smaller of two is tried on."""
    return [
        *binary(),
        *[S(T((2, 3), dtype=d, grad=False), T(3, dtype=d, grad=False)) for d in DTYPES[:9]],
        S(*TIED),
        S(*WITH_NAN).but(grad2=False),
        S(T(3, dtype="int64"), T(3)),
        E(T(3, dtype="complex64"), T(3)),
    ]


def one_limit(limits: tuple[float, float]) -> list[Sample]:
    """What ``clamp_min`` and ``clamp_max`` are tried on."""
    low, high = limits
    return [
        S(T((2, 3)), low),
        S(T((2, 3)), T(3)),
        S(T((2, 3)), T((2, 3))),
        S(*TIED),
        S(*WITH_NAN).but(grad2=False),
        S(T(4, values=[1.0, 0.5, NAN, 2.0]), high),
        S(T((2, 3), dtype="float32"), T(3)),
        S(T((3, 4), layout="transposed"), low),
        S(T((0, 3)), low),
        S(T(()), low),
        *[S(T(3, dtype=d, grad=False, low=0, high=5), number).but(inplace=False) for d in DTYPES[:9] for number in (2, 2.5)],
        *[S(T(3, dtype=d, grad=False), T(3, dtype=d, grad=False)) for d in DTYPES[:9]],
        E(T(3, dtype="complex64"), 1),
        E(T(3, dtype="complex64"), T(3, dtype="complex64")),
        E(T(3, dtype="int8"), 300),
        E(T((2, 3)), T(2)),
    ]


SAMPLES: dict[str, list[Sample]] = {
    "where": [
        S(MASK, T((2, 3)), T((2, 3))),
        S(T(3, dtype="bool"), T((2, 1)), T((2, 3))),
        S(T((), dtype="bool"), T((2, 3)), T(())),
        S(T((2, 3), dtype="uint8", high=2), T((2, 3)), T((2, 3))),
        S(MASK, T((2, 3), dtype="float32"), T((2, 3))),
        S(MASK, T((2, 3), dtype="float32"), T(())),
        S(MASK, T((2, 3), dtype="float32"), T((2, 3), dtype="int64")),
        S(MASK, T((2, 3), dtype="complex128"), T((2, 3))).but(grad=False),  # torch's gradient fails
        S(T((3, 4), dtype="bool", layout="transposed"), T((3, 4), layout="transposed"), T((3, 4), layout="transposed")),
        S(T((0, 3), dtype="bool"), T(3), T(3)),
        *[S(MASK, T((2, 3), dtype=d, grad=False), T(3, dtype=d, grad=False)) for d in DTYPES],
        *[S(MASK, T((2, 3), dtype=d, grad=False), 2) for d in DTYPES],
        *[S(MASK, 2.5, T((2, 3), dtype=d, grad=False)) for d in DTYPES],
        S(MASK, T((2, 3)), 0),
        S(MASK, 1.5, T((2, 3))),
        S(MASK, 1, 2),
        S(MASK, 1, 2.5),
        S(MASK, 1.0, 0.0),
        S(MASK, True, False),
        S(MASK, 1.0, 2j),
        S(MASK),
        S(T((2, 3), dtype="int64", high=2)),
        S(T((2, 3))).but(grad=False),
        S(T((), dtype="bool")),
        S(T((0, 3), dtype="bool")),
        E(T((2, 3), dtype="int64"), T((2, 3)), T((2, 3))),
        E(T((2, 3)), T((2, 3)), T((2, 3))),
        E(MASK, T((2, 3))).but(same_error_text=False),
        E(MASK, T((2, 3), dtype="int8"), 300),
        E(MASK, T(2), T(3)),
    ],
    "maximum": extremum(),
    "minimum": extremum(),
    "fmax": extremum(),
    "fmin": extremum(),
    "clamp": [
        S(T((2, 3)), -0.5, 0.5),
        S(T((2, 3)), -0.5),
        S(T((2, 3)), max=0.5),
        S(T((2, 3)), min=0),
        S(T((2, 3)), 1.0, -1.0),
        S(T(4, values=[1.0, 0.0, NAN, 2.0]), 0, 1),
        S(T((2, 3)), T(3), T((2, 1))),
        S(T((2, 3)), T((2, 3))),
        S(T((2, 3)), max=T(3)),
        S(*TIED),
        S(T((2, 3), dtype="float32"), T(3)),
        S(T((3, 4), layout="transposed"), -0.5, 0.5),
        S(T((0, 3)), 0.0),
        S(T(()), 0.0, 1.0),
        *[S(T(3, dtype=d, grad=False, low=0, high=5), 1, 3).but(inplace=False) for d in DTYPES[:9]],
        *[S(T(3, dtype=d, grad=False, low=0, high=5), 1.5).but(inplace=False) for d in DTYPES[:9]],
        *[S(T(3, dtype=d, grad=False), T(3, dtype=d, grad=False)) for d in DTYPES[:9]],
        S(T(3, dtype="int64"), T(3, grad=False)),
        E(T(3)),
        E(T(3, dtype="complex64"), 1),
        E(T(3, dtype="int8"), -300, 300),
        E(T(3), 0, 1j),
    ],
    "clamp_min": one_limit((0.0, 0.5)),
    "clamp_max": one_limit((0.0, 0.5)),
    "masked_fill": [
        S(T((2, 3)), MASK, 0.5),
        S(T((2, 3)), MASK, T(())),
        S(T((2, 3)), T(3, dtype="bool"), 1),
        S(T(3), MASK, 1),
        S(T((2, 3), dtype="float32"), MASK, T(())),
        S(T((2, 3), dtype="complex128"), MASK, 1j),
        S(T((3, 4), layout="transposed"), T((3, 4), dtype="bool", layout="transposed"), -INF),
        S(T((0, 3)), T(3, dtype="bool"), 1),
        S(T(()), T((), dtype="bool"), 1),
        *[S(T((2, 3), dtype=d, grad=False), MASK, number) for d in DTYPES for number in (1, 2.5, True)],
        S(T((2, 3), dtype="int64"), MASK, T((), grad=False)),
        S(T((2, 3), dtype="uint8"), MASK, -1),
        E(T((2, 3)), T((2, 3), dtype="int64"), 1),
        E(T((2, 3)), T((2, 3), dtype="uint8"), 1),
        E(T((2, 3)), MASK, T(3)),
        E(T((2, 3)), MASK, 1j),
        E(T((2, 3), dtype="float32"), MASK, 1e40),
        E(T((2, 3), dtype="float16"), MASK, 1e6),
        E(T((2, 3), dtype="int8"), MASK, 300),
        E(T((2, 3), dtype="int64"), MASK, INF),
        E(T((2, 3)), T(2, dtype="bool"), 1).but(same_error_text=False),  # torch names the sizes the other way round
    ],
    "nan_to_num": [
        *unary(),
        *[S(T(3, dtype=d, grad=False)) for d in DTYPES],
        S(T(4, values=[NAN, INF, -INF, 1.0], grad=False)),
        S(T(4, values=[NAN, INF, -INF, 1.0], dtype="float32")),
        S(T(4, values=[NAN, INF, -INF, 1.0]), 2.0, posinf=3.0, neginf=-3.0),
        S(T(3, dtype="complex128", values=[complex(NAN, 1), complex(0, INF), 1j], grad=False), nan=2.0),
    ],
}
