"""Samples of affine maps."""

from __future__ import annotations

from .base import E, S, Sample, T

_F = "nn.functional."
_W, _B = T((4, 3)), T(4)

SAMPLES: dict[str, list[Sample]] = {
    _F + "linear": [
        S(T((2, 3)), _W, _B),
        S(T((2, 3)), _W),
        S(T((2, 5, 3)), _W, _B),
        S(T((2, 5, 3)), _W),
        S(T((2, 2, 5, 3)), _W, _B),
        S(T(3), _W, _B),
        S(T(3), _W),
        S(T((2, 3)), T(3)),
        S(T((3, 5, 3), layout="transposed"), _W, _B),
        S(T((2, 3), grad=False), _W, _B),
        S(T((0, 3)), _W, _B),
        S(T((2, 0, 3)), _W, _B),
        S(T((2, 3), dtype="float32"), T((4, 3), dtype="float32"), T(4, dtype="float32")),
        S(T((2, 3), dtype="complex128"), T((4, 3), dtype="complex128"), T(4, dtype="complex128")),
        E(T((2, 3)), T(3), T(())),
        E(T((2, 3)), T((4, 5))),
        E(T((2, 3)), _W, T(5)),
        E(T((2, 5, 3)), T((4, 5)), _B),
        E(T((2, 3)), T((2, 4, 3))),
        E(T((2, 3)), T((4, 3), dtype="float32")),
    ],
    _F + "bilinear": [
        S(T((2, 3)), T((2, 4)), T((5, 3, 4)), T(5)),
        S(T((2, 3)), T((2, 4)), T((5, 3, 4))),
        S(T((2, 6, 3)), T((2, 6, 4)), T((5, 3, 4)), T(5)),
        E(T((2, 3)), T((1, 4)), T((5, 3, 4))),
        E(T((2, 3)), T((2, 4)), T((5, 2, 4))),
        E(T((2, 3)), T((2, 4)), T((5, 3, 2))),
        E(T((2, 3)), T((2, 4)), T((5, 3, 4)), T(3)),
        E(T(3), T((2, 4)), T((5, 3, 4))),
    ],
}
