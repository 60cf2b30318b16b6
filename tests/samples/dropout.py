"""Samples of dropout; both sides draw from generators seeded alike."""

from __future__ import annotations

from .base import E, S, Sample, T

_F = "nn.functional."
_X, _IMAGE = T((4, 5)), T((2, 3, 2, 2))
_SINGLE = T((4, 5), dtype="float32")

SAMPLES: dict[str, list[Sample]] = {
    _F + "dropout": [
        S(_X),
        S(_X, 0.3),
        S(_SINGLE, 0.3),
        S(_X, p=1.0),
        S(T(()), 0.2),
        S(T((40, 50)), 0.7),
        E(_X, 2.0),
        E(_X, -0.5, False),
        E(T(3, dtype="int64")),
    ],
    "dropout": [S(_X, 0.3, True), E(_X, 2.0, True)],
    _F + "dropout1d": [S(T((2, 3, 4)), 0.4), S(T((3, 4)), 0.4), E(T(3)), E(T((2, 3, 4)), 2.0)],
    _F + "dropout2d": [S(_IMAGE, 0.4), E(_IMAGE, -1.0)],
    _F + "dropout3d": [S(T((2, 3, 2, 2, 2)), 0.4), S(T((3, 2, 2, 2)), 0.4), E(_IMAGE, 2.0)],
}
