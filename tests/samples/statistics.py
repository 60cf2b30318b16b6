"""Samples of variances and standard deviations."""

from __future__ import annotations

from .base import E, S, Sample, T


def statistic() -> list[Sample]:
    """What every one of them is tried on."""
    return [
        S(T((2, 3))),
        S(T((2, 3)), True),
        S(T((2, 3)), False),
        S(T((2, 3)), unbiased=False),
        S(T((2, 3)), 0),
        S(T((2, 3)), 1, False),
        S(T((2, 3)), 1, True, True),
        S(T((2, 3)), dim=-1, unbiased=False, keepdim=True),
        S(T((2, 3)), dim=0, keepdim=True),
        S(T((2, 3, 4)), (0, -1)),
        S(T((2, 3, 4)), (0, 2), correction=0),
        S(T((2, 3)), None, correction=2, keepdim=True),
        S(T((2, 3)), correction=1.5),
        S(T((2, 3)), dim=None),
        # torch counts one element where no dimension is named, and its gradient is infinite.
        S(T((2, 3)), ()).but(grad=False),
        S(T((1, 3)), 0, False).but(grad2=False),
        S(T((3, 4), layout="transposed"), 0),
        S(T((3, 4), layout="strided"), 1),
        S(T((2, 3), dtype="float32"), 1),
        S(T((2, 3), dtype="float16"), 1, correction=0),
        S(T((2, 3), dtype="complex128"), 1),
        S(T((2, 3), dtype="complex64"), correction=0),
        E(T(3, dtype="int64")),
        E(T(3, dtype="int64"), 0),
        E(T((2, 3)), 2),
        E(T((2, 3)), (0, 0)),
        # torch lists the keyword arguments in no particular order.
        E(T((2, 3)), 0, correction=0, unbiased=True).but(same_error_text=False),
    ]


# All elements are equal: the standard deviation has no derivative there.
FLAT = S(T(values=[1.0, 1.0, 1.0])).but(grad2=False)

SAMPLES: dict[str, list[Sample]] = {
    "var": statistic(),
    "std": [*statistic(), FLAT],
    "var_mean": statistic(),
    "std_mean": [*statistic(), FLAT],
}
