"""Samples of addition, subtraction, multiplication, division and powers."""

from __future__ import annotations

from typing import Any

from .base import E, S, Sample, T, binary, unary

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128")
NUMBERS = DTYPES[1:]
REAL_NUMBERS = DTYPES[1:9]


def pairs(dtypes: tuple[str, ...], **facts: Any) -> list[Sample]:
    """The same call for each dtype."""
    spread: dict[str, Any] = {"low": 1, "high": 5, **facts}
    return [S(T((2, 3), dtype=d, grad=False, **spread), T(3, dtype=d, grad=False, **spread)) for d in dtypes]


def with_number(number: complex, dtypes: tuple[str, ...]) -> list[Sample]:
    """A tensor of each dtype beside a Python number."""
    return [S(T(3, dtype=d, values=[1, 2, 3], grad=False), number) for d in dtypes]


COMPLEX_PAIR = S(T((2, 2), dtype="complex128"), T(2, dtype="complex128"))
MIXED_COMPLEX = S(T(3, dtype="complex128"), T(3))
POSITIVE: dict[str, Any] = {"low": 0.5, "high": 2.5}
AWAY = [T(4, values=[-2.5, -0.5, 0.75, 3.0]), T(4, values=[0.7, -1.2, 2.0, -2.0])]


def of_numbers() -> list[Sample]:
    """Python numbers alone, which make a tensor."""
    return [S(1, 2), S(7, -2), S(1.5, 2), S(2.0, 4.0), S(3, 2.5)]


SAMPLES: dict[str, list[Sample]] = {
    "add": [
        *binary(),
        *pairs(DTYPES),
        *of_numbers(),
        S(1, 2, alpha=3),
        S(1, 2j),
        E(1, "a"),
        *with_number(2, DTYPES),
        *with_number(2.5, DTYPES),
        *with_number(True, DTYPES),
        COMPLEX_PAIR,
        MIXED_COMPLEX,
        S(T(3), 2),
        S(T(3), 1j),
        S(2, T(3)),
        S(T(3), T(3), alpha=3),
        S(T(3, dtype="float32"), T(3), alpha=0.5),
        S(T(3, dtype="int64"), T(3, dtype="int64"), alpha=2),
        S(T(3, dtype="bool"), T(3, dtype="bool"), alpha=True),
        S(T(3, dtype="int8", low=1, high=9), 300),
        S(T(3, dtype="uint8", low=1, high=9), -2),
        E(T(3, dtype="int64"), T(3, dtype="int64"), alpha=1.5),
        E(T(3), T(3), alpha=1j),
        E(T(3), T(3), alpha=True),
    ],
    "sub": [
        *binary(),
        *pairs(NUMBERS),
        *of_numbers(),
        *with_number(2, NUMBERS),
        *with_number(2.5, NUMBERS),
        COMPLEX_PAIR,
        S(T(3), 2),
        S(2, T(3)),
        S(T(3), T(3), alpha=3),
        E(T(3, dtype="bool"), T(3, dtype="bool")),
        E(T(3, dtype="bool"), 1),
        E(T(3, dtype="bool"), True),
        E(T(3), True),
        E(T(3), T(3, dtype="bool")),
    ],
    "rsub": [
        *[s.but(same_error_text=False) if s.error else s for s in binary()],  # torch names the sizes the other way round
        *with_number(2, NUMBERS),
        S(T(3), 2),
        S(T(3), 2, alpha=3),
        S(T(3), T(3), alpha=3),
        S(T(3, dtype="complex128"), 2 + 1j),
        E(T(3, dtype="bool"), 1),
        E(T(3, dtype="bool"), T(3, dtype="bool")),
    ],
    "mul": [
        *binary(),
        *pairs(DTYPES),
        *of_numbers(),
        *with_number(2, DTYPES),
        *with_number(2.5, DTYPES),
        COMPLEX_PAIR,
        MIXED_COMPLEX,
        S(T(3), 2),
        S(T(3), 2j),
        S(2, T(3)),
    ],
    "div": [
        *binary(b=POSITIVE),
        *pairs(DTYPES),
        *of_numbers(),
        S(7, 2, rounding_mode="floor"),
        S(7, 2, rounding_mode=None),
        *with_number(2, DTYPES),
        *with_number(2.5, DTYPES),
        COMPLEX_PAIR,
        MIXED_COMPLEX,
        S(T(3), 2),
        S(2, T(3, **POSITIVE)),
        S(T(4), T(4, values=[0.0, -0.0, 1.0, 2.0], grad=False)),
        *[
            sample
            for mode in ("trunc", "floor", None)
            for sample in (
                S(*AWAY, rounding_mode=mode),
                S(AWAY[0], 2, rounding_mode=mode),
                S(T(4, dtype="int64", values=[-7, 7, -6, 0]), T(4, dtype="int64", values=[2, -2, 3, 5]), rounding_mode=mode),
                S(T(4, dtype="int8", values=[-7, 7, -6, 0]), 2, rounding_mode=mode),
                S(T(3, dtype="uint8", values=[7, 200, 0]), 9, rounding_mode=mode),
                S(T(4, values=[1.0, -1.0, 0.0, 7.0], grad=False), 0.0, rounding_mode=mode),
            )
        ],
        E(T(3), T(3), rounding_mode="up"),
        E(T(3, dtype="bool"), T(3, dtype="bool"), rounding_mode="trunc"),
        E(T(3, dtype="complex64"), 2, rounding_mode="floor"),
        E(T(3, dtype="int64"), 0, rounding_mode="floor").but(error_from_values=True),
        E(T(3, dtype="int64"), 0, rounding_mode="trunc").but(error_from_values=True),
    ],
    "floor_divide": [
        *[s.but(grad=False, grad_fn=False) for s in binary(b=POSITIVE)],
        *pairs(REAL_NUMBERS),
        *of_numbers(),
        *with_number(2, REAL_NUMBERS),
        *with_number(2.5, REAL_NUMBERS),
        S(T(3, dtype="bool", values=[True, False, True]), 2),
        S(7, T(3, dtype="int64", values=[2, -2, 3])),
        S(T(4, values=[float("inf"), -1.0, 1.0, 0.0], grad=False), T(4, values=[1.0, 0.0, 0.0, 0.0], grad=False)),
        E(T(3, dtype="bool"), T(3, dtype="bool")),
        E(T(3, dtype="complex64"), 2),
        E(T(3, dtype="int8"), 0).but(error_from_values=True),
        E(T(3, dtype="int64"), T(3, dtype="int64", values=[1, 0, 1])).but(error_from_values=True),
    ],
    "remainder": [
        *binary(b=POSITIVE),
        *pairs(REAL_NUMBERS),
        *with_number(2, REAL_NUMBERS),
        *with_number(2.5, REAL_NUMBERS),
        S(*AWAY),
        S(T(4), 0.75),
        S(T(4, dtype="int64", values=[-7, 7, -6, 0]), T(4, dtype="int64", values=[2, -2, 3, 5])),
        S(7, T(3, dtype="int64", values=[2, -2, 3])),
        S(7, T(3, **POSITIVE)).but(grad=False),
        S(T(4, values=[-4.0, 0.0, float("inf"), 1.0], grad=False), T(4, values=[2.0, 2.0, 2.0, float("inf")], grad=False)),
        E(T(3, dtype="bool"), T(3, dtype="bool")),
        E(T(3, dtype="complex64"), 2),
        E(T(3, dtype="int64"), 0).but(error_from_values=True),
    ],
    "fmod": [
        *binary(b=POSITIVE),
        *pairs(REAL_NUMBERS),
        *with_number(2, REAL_NUMBERS),
        *with_number(2.5, REAL_NUMBERS),
        S(*AWAY),
        S(T(4), 0.75),
        S(T(4, dtype="int64", values=[-7, 7, -6, 0]), T(4, dtype="int64", values=[2, -2, 3, 5])),
        E(T(3, dtype="bool"), T(3, dtype="bool")),
        E(T(3, dtype="complex64"), 2),
        E(T(3, dtype="int64"), 0).but(error_from_values=True),
    ],
    "neg": [*unary(), *[S(T(3, dtype=d, grad=False)) for d in NUMBERS], S(T(3, dtype="complex128")), E(T(3, dtype="bool"))],
    "positive": [*unary(), *[S(T(3, dtype=d, grad=False)) for d in NUMBERS], E(T(3, dtype="bool"))],
    "reciprocal": [
        *unary(**POSITIVE),
        *[S(T(3, dtype=d, grad=False, low=1, high=5)) for d in DTYPES],
        S(T(3, dtype="complex128")),
        S(T(2, values=[0.0, -0.0])),
    ],
    "pow": [
        *binary(a=POSITIVE),
        *pairs(NUMBERS, high=4),
        *[sample for number in (0, 1, 2, 3, 0.5, 1.5) for sample in with_number(number, NUMBERS)],
        *with_number(-1, DTYPES[6:]),
        *[S(2, T(3, dtype=d, grad=False, values=[0, 1, 3])) for d in DTYPES],
        *[S(T((2, 3), low=-2.0), number) for number in (0, 1, 2, 3, 4, -2, 2.0, -1)],
        *[S(T((2, 3), **POSITIVE), number) for number in (0.5, -0.5, 2.5, -1.5)],
        S(T((2, 3), dtype="float32"), 2),
        S(T(3, dtype="bool"), 2),
        S(T(3, dtype="bool"), True),
        S(T(3, dtype="bool"), False),
        S(T(4, values=[0.0, 1.0, -1.0, 2.0]), 0),
        S(T(4, values=[0.0, 1.0, -1.0, 2.0]), 1),
        S(T(4, values=[0.0, 1.0, -1.0, 2.0]), 2),
        S(T(4, values=[0.0, 1.0, -1.0, 2.0]), 3),
        S(T(4, values=[0.0, 1.0, -1.0, 2.0]), -1),
        S(T(3, values=[0.0, 0.0, 2.0]), T(3, values=[0.0, 2.0, 0.0])).but(grad2=False),
        S(T(3, values=[0.0, 0.0, 2.0], grad=False), T(3, values=[0.0, 2.0, 0.0])).but(grad2=False),
        S(2, T((2, 3))),
        S(0.5, T((2, 3))),
        S(0, T(3, values=[0.0, 1.0, 2.0])),
        S(1, T(3)),
        S(2, T(())),
        S(2j, T(3)),
        S(-2.0, T(3, grad=False)),
        S(-2.0, T(3, dtype="complex128")),
        COMPLEX_PAIR,
        S(T(3, dtype="complex128"), 2),
        S(T(3, dtype="complex128"), 0.5),
        S(T(3, **POSITIVE), 1 + 1j),
        S(T(4, dtype="int64", values=[-1, 1, 2, -1]), T(4, dtype="int64", values=[-3, -2, -1, -2])),
        S(2, T(3, dtype="int64", values=[-1, 0, 2])),
        S(T(2, dtype="int8", values=[2, 3]), 8),
        E(T(3, dtype="int64"), -1),
        E(T(3, dtype="bool"), -1),
        E(T(3, dtype="int8"), 300),
        E(T(3, dtype="bool"), T(3, dtype="bool")),
        E(True, T(3, dtype="bool")),
        E(2, 3),
    ],
    "float_power": [
        *binary(a=POSITIVE),
        S(T(3), 2),
        S(T(3, dtype="float32"), 2),
        S(2, T(3, dtype="float32")),
        S(T(3, dtype="int64", values=[2, 3, 4]), -1),
        S(T(3, dtype="complex64"), 2),
        S(T(3, **POSITIVE), 1j).but(inplace=False),
        *pairs(DTYPES),
    ],
    "square": [*unary(), *[S(T(3, dtype=d, grad=False)) for d in DTYPES], S(T(3, dtype="complex128"))],
    "addcmul": [
        S(T((2, 3)), T((2, 3)), T((2, 3))),
        S(T((2, 3)), T(3), T((2, 1)), value=0.5),
        S(T((2, 3), dtype="float32"), T(3, dtype="float32"), T(3), value=2),
        S(T((2, 3), layout="transposed"), T(3), T((2, 1)), value=-1),
        S(T(()), T(()), T(())),
        S(T((0, 3)), T(3), T(3)),
        S(T(3, dtype="complex128"), T(3, dtype="complex128"), T(3, dtype="complex128"), value=2),
        S(T(3, dtype="int64"), T(3, dtype="int64"), T(3, dtype="int64"), value=2),
        S(T(3, dtype="int32"), T(3, dtype="int32"), T(3, dtype="int32"), value=1.5),
        E(T(3, dtype="bool"), T(3, dtype="bool"), T(3, dtype="bool")),
        E(T((2, 3)), T(2), T(3)),
    ],
    "addcdiv": [
        S(T((2, 3)), T((2, 3)), T((2, 3), **POSITIVE)),
        S(T((2, 3)), T(3), T((2, 1), **POSITIVE), value=0.5),
        S(T((2, 3), dtype="float32"), T(3, dtype="float32"), T(3, **POSITIVE), value=2),
        S(T(()), T(()), T((), **POSITIVE)),
        S(T((0, 3)), T(3), T(3, **POSITIVE)),
        S(T(3, dtype="complex128"), T(3, dtype="complex128"), T(3, dtype="complex128"), value=2),
        E(T(3, dtype="int64"), T(3, dtype="int64"), T(3, dtype="int64")),
    ],
    "lerp": [
        S(T((2, 3)), T((2, 3)), 0.25),
        S(T((2, 3)), T(3), 0.75),
        S(T((2, 3)), T((2, 3)), T((2, 3))),
        S(T((2, 3)), T(3), T((2, 1), low=0.0, high=1.0)),
        S(T((2, 3), dtype="float32"), T(3, dtype="float32"), T(3, dtype="float32")),
        S(T(()), T(()), T(())),
        S(T((0, 3)), T(3), 0.5),
        S(T(3, dtype="complex128"), T(3, dtype="complex128"), 0.25),
        S(T(3, dtype="complex128"), T(3, dtype="complex128"), 0.25j),
        S(T(3, dtype="complex128"), T(3, dtype="complex128"), T(3, dtype="complex128")),
        E(T(3), T(3, dtype="float32"), 0.5),
        E(T(3), T(3), T(3, dtype="float32")),
        E(T(3), T(3), 1j),
        E(T(3, dtype="int64"), T(3, dtype="int64"), 0.5),
        E(T(3, dtype="int64"), T(3, dtype="int64"), T(3, dtype="int64")),
    ],
    "atan2": [
        *binary(),
        *pairs(DTYPES[:9]),
        S(T(3, values=[0.0, 1.0, -1.0]), T(3, values=[-1.0, 0.0, 0.0])),
        E(T(3, dtype="complex64"), T(3, dtype="complex64")),
    ],
    "hypot": [
        *[s for s in binary() if not s.error],
        *pairs(DTYPES[6:9]),
        S(T(2, values=[0.0, 3.0]), T(2, values=[0.0, 4.0])).but(grad2=False),
        E(T(3, dtype="int64"), T(3, dtype="int64")),
        E(T(3, dtype="complex64"), T(3)),
    ],
    "copysign": [
        *binary(),
        *pairs(DTYPES[:9]),
        *with_number(-2, DTYPES[:9]),
        S(T(3), -1),
        S(T(3, values=[0.0, -0.0, 2.0]), T(3, values=[-1.0, 1.0, -0.0])),
        E(T(3, dtype="complex64"), T(3)),
    ],
}
