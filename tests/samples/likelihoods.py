"""Samples of the losses of classifiers."""

from __future__ import annotations

from typing import Any

from .base import E, S, Sample, T

_F = "nn.functional."
_REDUCTIONS = ("mean", "sum", "none")
_CHANCE: dict[str, Any] = {"low": 0.05, "high": 0.95}


def _classes(values: Any, dtype: str = "int64") -> T:
    return T(values=values, dtype=dtype, grad=False)


_LOGITS, _TWO = T((2, 3)), _classes([0, 2])
_WEIGHTS = T(3, low=0.2, high=2.0, grad=False)
_LINE, _LINE_CLASSES = T((2, 3, 4)), _classes([[0, 1, 2, 0], [2, 2, 1, 0]])
_PLANE = T((2, 3, 2, 2))
_PLANE_CLASSES = _classes([[[0, 1], [2, 0]], [[2, 2], [1, 0]]])
_SOLID, _SOLID_CLASSES = T((1, 3, 2, 1, 2)), _classes([[[[0, 1]], [[2, 0]]]])
_IGNORING = _classes([0, -100])
_EMPTY, _NO_CLASSES = T((0, 3)), T((0,), dtype="int64")
_PROBABILITIES = T((2, 3), grad=False, **_CHANCE)


def _of_classes() -> list[Sample]:
    """What both losses of class numbers are tried on."""
    return [
        *[S(_LOGITS, _TWO, reduction=r) for r in _REDUCTIONS],
        *[S(_LOGITS, _TWO, weight=_WEIGHTS, reduction=r) for r in _REDUCTIONS],
        *[S(_LOGITS, _IGNORING, reduction=r) for r in _REDUCTIONS],
        S(_LOGITS, _TWO, ignore_index=2),
        S(_LOGITS, _TWO, weight=_WEIGHTS, ignore_index=0),
        S(_LOGITS, _classes([-100, -100])),
        S(_LOGITS, _classes([-100, -100]), reduction="sum"),
        S(_LOGITS, _classes([0, 2], "uint8")),
        S(T((2, 3), dtype="float32"), _TWO),
        S(T((3, 2), layout="transposed"), _classes([0, 1, 1])),
        S(_LOGITS, _TWO, size_average=False),
        S(_LOGITS, _TWO, reduce=False),
        # torch cannot differentiate these twice, and the second not at all.
        S(T(3), _classes(1)).but(grad2=False),
        S(T(3), _classes([1])).but(grad=False),
        S(T(3), _classes(1), reduction="none").but(grad2=False),
        S(_EMPTY, _NO_CLASSES, reduction="none"),
        S(_EMPTY, _NO_CLASSES, reduction="sum"),
        S(_EMPTY, _NO_CLASSES).but(grad=False),
        *[S(_LINE, _LINE_CLASSES, reduction=r) for r in _REDUCTIONS],
        *[S(_PLANE, _PLANE_CLASSES, reduction=r) for r in _REDUCTIONS],
        S(_PLANE, _PLANE_CLASSES, weight=_WEIGHTS),
        S(_SOLID, _SOLID_CLASSES),
        S(_SOLID, _SOLID_CLASSES, reduction="none"),
        E(_LOGITS, _classes([0])),
        E(_LOGITS, _classes(0)),
        E(T(3), _TWO),
        E(_LOGITS, _classes([0, 5])).but(error_from_values=True),
        E(_LOGITS, _classes([0, -7])).but(error_from_values=True),
        E(_LINE, _classes([[0, 1, 2, 0], [2, 9, 1, 0]])).but(error_from_values=True),
        E(_LOGITS, _classes([0.0, 1.0], "float32")),
        E(_LOGITS, _classes([0, 1], "int32")),
        E(_LOGITS, _TWO, weight=T(2, grad=False)),
        E(_LOGITS, _TWO, weight=T(3, dtype="float32", grad=False)),
        E(_PLANE, _PLANE_CLASSES, weight=T(2, grad=False)),
        E(_LINE, _classes([[0, 1], [1, 1]])),
        E(_PLANE, _classes([[0, 1], [1, 1]])),
        E(_LOGITS, _TWO, reduction="half"),
        E(T((2, 3), dtype="int64"), _TWO),
    ]


def _with_logits() -> list[Sample]:
    logits, target = T((2, 3), low=-4.0, high=4.0), T((2, 3), **_CHANCE)
    far = T(values=[-800.0, -40.0, 40.0, 800.0])
    return [
        *[S(logits, T((2, 3), grad=False, **_CHANCE), reduction=r) for r in _REDUCTIONS],
        S(logits, target),
        S(logits, target, weight=_WEIGHTS),
        S(logits, target, pos_weight=_WEIGHTS),
        S(logits, target, weight=_WEIGHTS, pos_weight=_WEIGHTS, reduction="sum"),
        S(far, T(values=[1.0, 1.0, 0.0, 0.0], grad=False), reduction="none"),
        S(T((2, 3), dtype="float32"), T((2, 3), dtype="float32", **_CHANCE)),
        S(T((0, 3)), T((0, 3), **_CHANCE), reduction="sum"),
        S(T(()), T((), **_CHANCE)),
        S(logits, target, size_average=False),
        E(logits, T(3, **_CHANCE)),
        E(logits, T((2, 3), dtype="int64")),
        E(T((2, 3), dtype="int64"), T((2, 3), dtype="int64")),
        E(logits, target, weight=T(4, grad=False)),
        E(logits, target, weight=T((4, 2, 3), grad=False)),
        E(logits, target, pos_weight=T(4, grad=False)),
        E(logits, target, reduction="half"),
    ]


SAMPLES: dict[str, list[Sample]] = {
    _F + "nll_loss": [*_of_classes(), E(T((2, 3)), _classes([[0, 1, 2], [1, 2, 0]])), E(T(()), _classes(0))],
    _F + "cross_entropy": [
        *_of_classes(),
        *[S(_LOGITS, _TWO, label_smoothing=0.1, reduction=r) for r in _REDUCTIONS],
        *[S(_LOGITS, _IGNORING, label_smoothing=0.1, reduction=r) for r in _REDUCTIONS],
        *[S(_LOGITS, _IGNORING, weight=_WEIGHTS, label_smoothing=0.1, reduction=r) for r in _REDUCTIONS],
        S(_PLANE, _PLANE_CLASSES, label_smoothing=0.3),
        *[S(_LOGITS, _PROBABILITIES, reduction=r) for r in _REDUCTIONS],
        *[S(_LOGITS, _PROBABILITIES, weight=_WEIGHTS, reduction=r) for r in _REDUCTIONS],
        *[S(_LOGITS, _PROBABILITIES, label_smoothing=0.2, reduction=r) for r in _REDUCTIONS],
        S(_LOGITS, T((2, 3), **_CHANCE)),
        S(_LOGITS, T((2, 3), dtype="float32", grad=False, **_CHANCE)),
        S(_PLANE, T((2, 3, 2, 2), grad=False, **_CHANCE), weight=_WEIGHTS),
        S(T(3), T(3, grad=False, **_CHANCE)),
        S(T((2, 3), low=-600.0, high=600.0), _TWO),
        E(_LOGITS, T((2, 3), dtype="int64")),
        E(_LOGITS, _PROBABILITIES, ignore_index=1),
        E(_LOGITS, _PROBABILITIES, weight=T(2, grad=False)),
        E(_LOGITS, _TWO, label_smoothing=2.0),
        E(_LOGITS, T((2, 4), grad=False)),
    ],
    _F + "binary_cross_entropy": [
        *[S(T((2, 3), **_CHANCE), _PROBABILITIES, reduction=r) for r in _REDUCTIONS],
        S(T((2, 3), **_CHANCE), T((2, 3), **_CHANCE)),
        S(T((2, 3), **_CHANCE), T((2, 3), **_CHANCE), weight=_WEIGHTS),
        S(T((2, 3), **_CHANCE), _PROBABILITIES, weight=_WEIGHTS, reduction="none"),
        S(T(values=[0.0, 1.0, 0.0, 1.0]), T(values=[0.0, 1.0, 1.0, 0.0], grad=False), reduction="none").but(
            rtol=1e-8, derivative=False, grad2=False
        ),
        S(T((2, 3), dtype="float32", **_CHANCE), T((2, 3), dtype="float32", **_CHANCE)),
        S(T((0, 3)), T((0, 3)), reduction="sum"),
        S(T((), **_CHANCE), T((), **_CHANCE)),
        S(T((2, 3), **_CHANCE), _PROBABILITIES, size_average=False),
        E(T((2, 3), **_CHANCE), T(3, **_CHANCE)),
        E(T((2, 3), low=2.0, high=3.0), _PROBABILITIES).but(error_from_values=True),
        E(T((2, 3), **_CHANCE), T((2, 3), dtype="float32", **_CHANCE)),
        E(T((2, 3), **_CHANCE), _PROBABILITIES, weight=T((4, 2, 3), grad=False)),
        E(T((2, 3), dtype="int64"), T((2, 3), dtype="int64")),
        E(T((2, 3), **_CHANCE), _PROBABILITIES, reduction="half"),
    ],
    _F + "binary_cross_entropy_with_logits": _with_logits(),
}
