"""Samples of padding."""

from __future__ import annotations

from .base import E, S, Sample, T

_F = "nn.functional."
_X, _LINE, _PLANE, _IMAGE = T((2, 3)), T((2, 3, 4)), T((3, 4, 5)), T((2, 3, 4, 5))
_SOLID = T((1, 2, 3, 4, 3))
_WHOLE = T((1, 2, 4), dtype="int64")


def _by_repeating(mode: str) -> list[Sample]:
    """What reflection and replication are tried on."""
    return [
        S(_LINE, (1, 2), mode=mode),
        S(T((2, 4)), (2, 1), mode),
        S(_LINE, (-1, 2), mode),
        S(_LINE, (0, 0), mode),
        S(_IMAGE, (1, 2, 3, 1), mode),
        S(_PLANE, (2, 0, 1, 1), mode),
        S(_SOLID, (1, 1, 2, 1, 1, 2), mode),
        S(T((2, 3, 4), dtype="float32"), (1, 2), mode, 0.0),
        S(T((2, 3, 4), layout="transposed"), (1, 2), mode),
        S(_WHOLE, (1, 1), mode),
        S(T((0, 3, 4)), (1, 1), mode),
        E(_IMAGE, (1, 1), mode),
        E(T(3), (1, 1), mode),
        E(_LINE, (1, 1), mode, 1.0),
        E(T((2, 3, 0)), (1, 1), mode),
        E(_LINE, (-3, -2), mode),
    ]


def _same_size(sample: Sample) -> Sample:
    # torch writes the parts into an empty tensor, and shows one node for every write.
    return sample.but(grad_fn=False)


SAMPLES: dict[str, list[Sample]] = {
    _F + "pad": [
        S(_X, (1, 2)),
        S(_X, [1, 2, 3, 1], value=2.0),
        S(_X, (1, 2, 3, -1), "constant", 2.0),
        S(_X, (-1, -2)),
        S(_X, (0, 0)),
        S(_X, ()),
        S(_IMAGE, (1, 0, -1, 2, 0, 1)),
        S(T((2, 3), layout="transposed"), (1, 1)),
        S(T((2, 3), dtype="float32"), (1, 1), value=0.1),
        S(_WHOLE, (1, 1), value=1.5),
        S(T(2, dtype="bool"), (1, 1)),
        S(T((0, 2)), (1, 1)),
        E(_X, (1,)),
        E(_X, (1,) * 6),
        E(_X, (-2, -2)),
        E(_LINE, (1, 1), "mirror"),
        *_by_repeating("reflect"),
        *_by_repeating("replicate"),
        S(_LINE, (3, 3), "reflect"),
        S(_LINE, (6, 5), "replicate"),
        E(_LINE, (4, 1), "reflect"),
        E(_IMAGE, (1, 6, 2, 2), "reflect"),
        E(_IMAGE, (1, 1, 4, 2), "reflect"),
        _same_size(S(_LINE, (1, 2), "circular")),
        _same_size(S(_LINE, (4, 4), "circular")),
        _same_size(S(_LINE, (-1, 2), "circular")),
        _same_size(S(_IMAGE, (1, 1, 2, 0), "circular")),
        _same_size(S(_SOLID, (1, 1, 2, 1, 1, 2), "circular")),
        E(_LINE, (5, 1), "circular"),
        E(_LINE, (-3, -2), "circular"),
        E(_X, (1, 1, 1, 1), "circular"),
    ],
    "constant_pad_nd": [S(_X, (1, 2)), S(_X, (1, 2, 0, 1), 3), S(_WHOLE, (1, 1), 2), E(_X, (1,)), E(_X, (1,) * 6), E(_X, (-2, -2))],
}
