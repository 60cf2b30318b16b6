"""Samples of counting whole numbers."""

from __future__ import annotations

from typing import Any

from .base import E, S, Sample, T

_NUMBERS: list[Any] = [1, 3, 1, 0]


def _whole(dtype: str = "int64") -> T:
    return T(values=_NUMBERS, dtype=dtype)


SAMPLES: dict[str, list[Sample]] = {
    "bincount": [
        S(_whole()),
        *[S(_whole(d)) for d in ("uint8", "int8", "int16", "int32")],
        S(_whole(), minlength=6),
        S(_whole(), None, 2),
        S(_whole(), T(4, grad=False)),
        S(_whole(), T(4)).but(grad_fn=False, grad=False),  # torch has no derivative of it
        *[S(_whole(), T(4, dtype=d, high=9, grad=False)) for d in ("float32", "float16", "int64", "uint8", "bool", "complex64")],
        S(_whole(), weights=T(4, grad=False), minlength=9),
        S(T(0, dtype="int64")),
        S(T(0, dtype="int64"), minlength=3),
        S(T(0, dtype="int64"), T(0, grad=False)),
        S(T(6, dtype="int64", low=0, high=9, layout="strided")),
        E(T(values=[-1, 2], dtype="int64")).but(error_from_values=True),
        E(T(values=[-1], dtype="int64")).but(error_from_values=True),
        E(T(3)),
        E(T(3, dtype="bool")),
        E(T((2, 3), dtype="int64", low=0)),
        E(T((), dtype="int64", low=0)),
        E(_whole(), T(3)),
        E(_whole(), T((1, 4))),
        E(_whole(), minlength=-1),
    ],
}
