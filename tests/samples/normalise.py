"""Samples of normalisation over layers, batches and groups, and of what compares vectors."""

from __future__ import annotations

from .base import E, S, Sample, T

_F = "nn.functional."
_X = T((4, 3))
_WIDE = T((2, 4, 3))
_IMAGE = T((2, 3, 2, 4))
_SINGLE = T((4, 3), dtype="float32")
_MEAN, _VAR = T(3, grad=False), T(3, low=0.5, high=2.0, grad=False)
_WHOLE = T((2, 3), dtype="int64")

SAMPLES: dict[str, list[Sample]] = {
    _F + "layer_norm": [
        S(_X, (3,)),
        S(_X, [3], T(3)),
        S(_X, (3,), T(3), T(3)),
        # Without a weight torch cannot differentiate the bias twice.
        S(_X, (3,), None, T(3)).but(grad2=False),
        S(_X, (3,), bias=T(3), eps=0.1).but(grad2=False),
        S(_X, (4, 3), T((4, 3)), T((4, 3))),
        S(_WIDE, (4, 3), T((4, 3))),
        S(_WIDE, (3,), T(3), T(3)),
        S(T(3), (3,)),
        S(_SINGLE, (3,), T(3, dtype="float32"), T(3, dtype="float32")),
        S(T((3, 4), layout="transposed"), (4,), T(4)),
        S(T((0, 3)), (3,)),
        S(T((0, 3)), (3,), T(3), T(3)),
        S(T((4, 3), grad=False), (3,), T(3), T(3)),
        E(_X, (2,)),
        E(_X, ()),
        E(_X, (3,), T(2)),
        E(_X, (3,), None, T(2)),
        E(_WHOLE, (3,)),
        E(_X, (3,), T(3, dtype="float32")),
        E(_SINGLE, (3,), T(3)),
    ],
    _F + "group_norm": [
        S(_WIDE, 2),
        S(_WIDE, 2, T(4), T(4)),
        S(_WIDE, 4, T(4)),
        S(_WIDE, 1, None, T(4, grad=False)),
        S(T((2, 4)), 2),
        S(T((2, 4, 2, 3)), 2, T(4), T(4), 0.1),
        S(T((2, 4, 3), dtype="float32"), 2, T(4, dtype="float32")),
        E(_WIDE, 3),
        E(T(4), 2),
        E(_WIDE, 2, T(2)),
        E(T((1, 2)), 2),
    ],
    _F + "batch_norm": [
        S(_X, None, None, training=True),
        S(_X, None, None, T(3), T(3), True),
        S(_X, None, None, T(3), None, True),
        S(_X, None, None, None, T(3), True, 0.1, 0.01).but(grad2=False),
        S(_IMAGE, None, None, T(3), T(3), True),
        S(T((2, 3, 4)), None, None, T(3), T(3), True),
        S(_X, _MEAN, _VAR, T(3), T(3), True),
        S(_X, _MEAN, _VAR),
        S(_X, _MEAN, _VAR, T(3), T(3)),
        S(_IMAGE, _MEAN, _VAR, T(3), T(3), False, 0.1, 0.01),
        S(_SINGLE, None, None, T(3, dtype="float32"), T(3, dtype="float32"), True),
        E(T((1, 3)), None, None, training=True),
        E(_X, None, None),
        E(_X, _MEAN, None),
        E(_X, _MEAN, None, training=True),
        E(_X, None, None, T(2), training=True),
        E(_X, None, None, None, T(2), training=True),
        E(_X, T(2, grad=False), T(2, grad=False)),
        E(T(3), None, None, training=True),
        E(_WHOLE, None, None, training=True),
        E(_X, T(3, dtype="float32", grad=False), T(3, dtype="float32", grad=False)),
        E(_X, None, None, training=True, eps=0.0),
        E(_X, _MEAN, _VAR, eps=-1.0),
    ],
    _F + "normalize": [
        S(_X),
        S(_X, 1.0, 0),
        S(_X, p=3.0, dim=-1, eps=0.5),
        S(T(values=[[0.0, 0.0], [3.0, 4.0]])).but(grad2=False),
        S(T(3), dim=0),
        S(_SINGLE),
        S(T((0, 3))),
        E(_X, dim=5),
        E(_WHOLE),
    ],
    _F + "cosine_similarity": [
        S(_X, T((4, 3))),
        S(_X, T(3), -1),
        S(_X, T((4, 3)), dim=0),
        S(T(3), T(3), 0),
        S(_X, _SINGLE),
        S(_SINGLE, _SINGLE),
        # The limit on the norms is no part of the graph.
        S(T(values=[[0.0, 0.0], [3.0, 4.0]]), T((2, 2)), eps=0.1).but(derivative=False, grad2=False),
        S(_X, T((4, 3), dtype="int64", low=1, high=4)),
        E(_WHOLE, _WHOLE),
        E(_X, T((4, 2))),
        E(_X, T((4, 3)), 4),
    ],
    _F + "pairwise_distance": [
        S(_X, T((4, 3))),
        S(_X, T((4, 3)), 1.0, keepdim=True),
        S(_X, T(3), p=3.0, eps=0.1),
        S(T(3), T(3)),
        S(_SINGLE, _SINGLE),
    ],
}
