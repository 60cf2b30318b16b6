"""Samples of the Fourier transforms."""

from __future__ import annotations

from .base import E, S, Sample, T

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64", "complex64", "complex128")


def transforms() -> list[Sample]:
    """What both directions are tried on."""
    return [
        *[S(T(shape, dtype=d)) for shape in (1, 4, 5, (2, 3)) for d in ("float64", "complex128")],
        *[S(T(4, dtype=d, grad=False)) for d in DTYPES],
        *[S(T((2, 4), dtype="complex128"), norm=norm) for norm in ("backward", "ortho", "forward")],
        *[S(T((2, 4)), norm=norm) for norm in ("backward", "ortho", "forward")],
        *[S(T((2, 4), dtype=d), n) for n in (2, 6) for d in ("float64", "complex128")],
        *[S(T((3, 2), dtype=d), dim=dim) for dim in (0, -2, 1) for d in ("float64", "complex128")],
        S(T((3, 2)), 5, 0, "ortho"),
        S(T((3, 4), dtype="complex128", layout="transposed")),
        S(T((2, 3), dtype="float32")),
        S(T((2, 3), dtype="complex64")),
        E(T(4), 0),
        E(T(4), norm="other"),
        E(T(4), dim=1),
        E(T(())),
        E(T((2, 0))),
        E(T(4, dtype="float16")),
    ]


SAMPLES: dict[str, list[Sample]] = {
    "fft.fft": transforms(),
    "fft.ifft": [s if s.error else s.but(view=False) for s in transforms()],
}  # torch's conjugates are views
