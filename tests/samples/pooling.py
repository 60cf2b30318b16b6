"""Samples of pooling."""

from __future__ import annotations

from .base import E, S, Sample, T

_F = "nn.functional."
_IMAGE, _PLANE = T((2, 3, 6, 5)), T((3, 6, 5))
_SINGLE = T((2, 3, 6, 5), dtype="float32")
_WHOLE = T((1, 4, 4), dtype="int64", low=-9, high=9)
_TIES = T(values=[[[1.0, 1.0, 0.0, 2.0], [1.0, 1.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0]]])
_WILD = T(values=[[[float("nan"), 1.0, float("-inf"), float("-inf")], [1.0, float("nan"), float("-inf"), float("-inf")]]])
_LINE = T((2, 3, 6))


def _refused() -> list[Sample]:
    return [
        E(_IMAGE, 7),
        E(_IMAGE, 2, padding=2),
        E(_IMAGE, 0),
        E(_IMAGE, 0, 1),
        E(_IMAGE, 2, 0),
        E(_IMAGE, 2, -1),
        E(_IMAGE, 2, padding=-1),
        E(_IMAGE, (2, 2, 2)),
        E(_IMAGE, 2, (1, 2, 3)),
        E(_IMAGE, 2, padding=(1, 1, 1)),
        E(T((6, 6)), 2),
        E(T((2, 0, 6, 6)), 2),
        E(T((2, 3, 0, 6)), 2),
        E(T((1, 4, 4), dtype="bool"), 2),
    ]


SAMPLES: dict[str, list[Sample]] = {
    _F + "max_pool2d": [
        S(_IMAGE, 2),
        S(_PLANE, 2),
        S(_IMAGE, (3, 2), (1, 2)),
        S(_IMAGE, 3, 1),
        S(_IMAGE, 3, 2, 1),
        S(_IMAGE, 4, ceil_mode=True),
        S(_IMAGE, 2, 2, 1, ceil_mode=True),
        S(_IMAGE, 2, dilation=2),
        S(_IMAGE, (2, 3), 1, (1, 1), (2, 1)),
        S(_IMAGE, 3, 3, 1, 2, True),
        S(_IMAGE, 2, []),
        S(_IMAGE, 2, return_indices=True),
        S(_TIES, 2, 1),
        S(_WILD, 2).but(grad2=False),
        S(_WILD, 2, return_indices=True).but(grad2=False),
        S(T((0, 3, 6, 6)), 2),
        S(T((2, 3, 6, 5), layout="transposed"), 2),
        S(_SINGLE, 2),
        S(_WHOLE, 2),
        S(_WHOLE, 3, 1, 1),
        S(T((1, 4, 4), dtype="uint8", low=0, high=9), 2),
        E(_IMAGE, 2, dilation=0),
        *_refused(),
    ],
    _F + "max_pool2d_with_indices": [S(_IMAGE, 2), S(_IMAGE, 3, 1, 1), S(_TIES, 2, 1)],
    _F + "max_pool1d": [
        S(_LINE, 2),
        S(T((3, 6)), 2),
        S(_LINE, 3, 1, 1, 2),
        S(_LINE, 4, ceil_mode=True),
        S(_LINE, 2, return_indices=True),
        S(_LINE, [2], [1]),
        E(_LINE, 7),
        E(T(6), 2),
        E(_LINE, 2, padding=2),
        E(_LINE, 0),
        E(_LINE, 2, dilation=0),
        E(_WHOLE, 2),
    ],
    _F + "avg_pool2d": [
        S(_IMAGE, 2),
        S(_PLANE, 2),
        S(_IMAGE, (3, 2), (1, 2)),
        S(_IMAGE, 3, 1, 1),
        S(_IMAGE, 3, 1, 1, count_include_pad=False),
        S(_IMAGE, 4, ceil_mode=True),
        S(_IMAGE, 3, 2, 1, True),
        S(_IMAGE, 3, 2, 1, True, False),
        S(_IMAGE, 2, divisor_override=3),
        S(_IMAGE, 2, []),
        S(T((0, 3, 6, 6)), 2),
        S(T((2, 3, 6, 5), layout="transposed"), 2),
        S(_SINGLE, 2),
        S(_WHOLE, 2),
        S(_WHOLE, 2, divisor_override=3),
        E(_IMAGE, 2, divisor_override=0),
        *_refused(),
    ],
    _F + "avg_pool1d": [
        S(_LINE, 2),
        S(T((3, 6)), 2),
        S(_LINE, 3, 1, 1, count_include_pad=False),
        S(_LINE, 4, ceil_mode=True),
        E(T(6), 2),
        E(_LINE, 7),
        E(_LINE, 2, padding=2),
    ],
}
