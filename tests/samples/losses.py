"""Samples of the losses."""

from __future__ import annotations

from typing import Any

from .base import E, S, Sample, T

_F = "nn.functional."
_A, _B, _ROW = T((2, 3)), T((2, 3)), T(3)
_GIVEN = T((2, 3), grad=False)
_SINGLE = T((2, 3), dtype="float32")
_SIGNS = T(values=[[1.0, -1.0, 1.0], [-1.0, 1.0, -1.0]], grad=False)
_WHOLE = T((2, 3), dtype="int64")
_EMPTY = T((0, 3))
_WEIGHTS = T((2, 3), low=0.1, high=2.0, grad=False)
_CHANCE: dict[str, Any] = {"low": 0.05, "high": 0.95}


def _compared(**facts: Any) -> list[Sample]:
    """What every loss that compares two tensors of one shape is tried on."""
    return [
        *[S(_A, _GIVEN, reduction=r, **facts) for r in ("mean", "sum", "none")],
        S(_A, _B, **facts),
        S(_GIVEN, _B, **facts),
        S(_A, _ROW, **facts),
        S(T(()), T(()), **facts),
        S(_EMPTY, _EMPTY, **facts),
        S(_EMPTY, _EMPTY, reduction="sum", **facts),
        S(T((3, 2), layout="transposed"), T((3, 2)), reduction="none", **facts),
        S(_SINGLE, _SINGLE, **facts),
        S(_A, _SINGLE, **facts),
        S(_A, _WHOLE, **facts),
        S(_A, _GIVEN, size_average=False, **facts),
        S(_A, _GIVEN, reduce=False, **facts),
        S(_A, _GIVEN, size_average=True, **facts),
        E(_A, _GIVEN, reduction="half", **facts),
        E(_A, T(2), **facts),
    ]


def _legacy_free(samples: list[Sample]) -> list[Sample]:
    return [s for s in samples if not s.kwargs.keys() & {"size_average", "reduce"}]


def _first_dtype(sample: Sample) -> Sample:
    # torch's gradient refuses operands of two dtypes.
    return sample.but(grad=False) if sample.args[1] in (_SINGLE, _WHOLE) and sample.args[0] is _A else sample


_ON_KINKS = T(values=[-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0])
_ZEROS = T(values=[0.0] * 7, grad=False)

SAMPLES: dict[str, list[Sample]] = {
    _F + "mse_loss": [
        *_compared(),
        *[S(_A, _B, weight=_WEIGHTS, reduction=r) for r in ("mean", "sum", "none")],
        E(_A, _B, weight=_ROW),
        E(_A, _B, weight=_WEIGHTS, reduction="half"),
        E(_WHOLE, _WHOLE),
        E(T(2, dtype="complex64"), T(2, dtype="complex64")),
    ],
    _F + "l1_loss": [*_compared(), S(_A, _B, weight=_WEIGHTS), S(_ON_KINKS, _ZEROS), E(_WHOLE, _WHOLE)],
    _F + "smooth_l1_loss": [
        *_compared(),
        S(_A, _GIVEN, beta=0.5),
        S(_A, _GIVEN, beta=0.0),
        S(_ON_KINKS, _ZEROS, reduction="none").but(grad2=False),
        E(_A, _GIVEN, beta=-1.0),
        E(_WHOLE, _WHOLE),
    ],
    _F + "huber_loss": [
        *[_first_dtype(s) for s in _legacy_free(_compared())],
        S(_A, _GIVEN, delta=0.5),
        S(_ON_KINKS, _ZEROS, reduction="none").but(grad2=False),
        *[S(_A, _B, weight=_WEIGHTS, reduction=r) for r in ("mean", "sum", "none")],
        E(_A, _GIVEN, delta=0.0),
        E(_WHOLE, _WHOLE),
    ],
    _F + "soft_margin_loss": [
        *[S(_A, _SIGNS, reduction=r) for r in ("mean", "sum", "none")],
        S(T(values=[-80.0, 80.0]), T(values=[1.0, 1.0], grad=False)),
        S(_EMPTY, T((0, 3), grad=False)),
        E(_A, _SIGNS, reduction="half"),
    ],
    _F + "kl_div": [
        *[S(_A, T((2, 3), grad=False, **_CHANCE), reduction=r) for r in ("mean", "sum", "none", "batchmean")],
        S(_A, T((2, 3), **_CHANCE)),
        S(_A, _B, log_target=True),
        S(_A, T(values=[[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]], grad=False)),
        S(_A, T(3, **_CHANCE)),
        S(_SINGLE, T((2, 3), dtype="float32", **_CHANCE)),
        S(T(()), T((), **_CHANCE), reduction="batchmean"),
        S(_EMPTY, T((0, 3), **_CHANCE)),
        E(_A, _WHOLE),
        E(T(2, dtype="complex64"), T(2)),
        E(_A, T(2, **_CHANCE)),
        E(_A, T(3, **_CHANCE), reduction="half"),
    ],
    _F + "poisson_nll_loss": [
        *[S(_A, T((2, 3), low=0.0, high=4.0, grad=False), reduction=r) for r in ("mean", "sum", "none")],
        S(_A, T((2, 3), low=0.5, high=4.0, grad=False), full=True),
        S(T((2, 3), low=0.5, high=2.0), T((2, 3), low=0.5, high=4.0), log_input=False),
        E(_A, _B, reduction="half"),
    ],
    _F + "gaussian_nll_loss": [
        *[S(_A, _GIVEN, T((2, 3), **_CHANCE), reduction=r) for r in ("mean", "sum", "none")],
        S(_A, _B, T((2, 3), **_CHANCE), True),
        S(_A, _B, T(2, **_CHANCE)),
        S(_A, _B, T((2, 1), **_CHANCE)),
        S(_A, _B, T((1, 3), **_CHANCE)),
        S(_A, _B, 0.5, full=True, reduction="none"),
        S(_A, _B, 0.0),
        S(_A, _B, T(values=[[0.0, 0.1, 1.0]] * 2, grad=False), eps=0.2),
        S(_SINGLE, _SINGLE, T((2, 3), dtype="float32", **_CHANCE)),
        S(T((3, 2), layout="transposed"), T((3, 2)), T((3, 2), **_CHANCE), reduction="none"),
        S(_EMPTY, _EMPTY, _EMPTY),
        S(T(()), T(()), T((), **_CHANCE)),
        E(_A, _B, T(3, **_CHANCE)),
        E(_A, _B, T(values=[[-1.0, 1.0, 1.0]] * 2)).but(error_from_values=True),
        E(_A, _B, -1.0),
        E(_A, _B, T((2, 3), **_CHANCE), reduction="half"),
    ],
    _F + "triplet_margin_loss": [
        *[S(_A, _B, T((2, 3), low=-1.0), reduction=r) for r in ("mean", "sum", "none")],
        S(_A, _B, T((2, 3), low=-1.0), 2.5, 1.5, swap=True),
        S(_A, _B, T((2, 3), low=-1.0), margin=0.1, p=1.0, eps=0.01),
        S(T(3), T(3, low=0.0), T(3, low=-1.0)),
        S(_A, T((1, 3)), T((2, 3), low=-1.0)),
        S(_SINGLE, T((2, 3), dtype="float32", low=0.0), T((2, 3), dtype="float32", low=-1.0), swap=True),
        S(_A, _GIVEN, T((2, 3), low=-1.0), size_average=False),
        E(_A, T(3), _B),
        E(_A, _B, _GIVEN, margin=0.0),
        E(_A, T((2, 2)), _B),
        E(_A, _B, _GIVEN, reduction="half"),
    ],
    _F + "hinge_embedding_loss": [
        *[S(_A, _SIGNS, reduction=r) for r in ("mean", "sum", "none")],
        S(_A, _SIGNS, 0.5),
        S(_EMPTY, T((0, 3), grad=False)),
        E(_A, _SIGNS, reduction="half"),
    ],
    _F + "margin_ranking_loss": [
        *[S(T(3), T(3), T(values=[1.0, -1.0, 1.0], grad=False), reduction=r) for r in ("mean", "sum", "none")],
        S(_A, _B, _SIGNS, margin=0.5),
        E(T(3), T((3, 1)), T(3, grad=False)),
        E(T(3), T(3), T(3, grad=False), reduction="half"),
    ],
    _F + "cosine_embedding_loss": [
        *[S(_A, _B, T(values=[1.0, -1.0], grad=False), reduction=r) for r in ("mean", "sum", "none")],
        S(_A, _B, T(values=[1.0, -1.0], grad=False), margin=-0.5),
        S(T(3), T(3), T(values=1.0, grad=False)),
        E(_A, _B, T((2, 2), grad=False)),
        E(T(3), T(3), T(3, grad=False)),
        E(_A, _B, T((), grad=False)),
    ],
}
