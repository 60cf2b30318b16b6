"""Samples of ops that join tensors or bring them to a common shape."""

from __future__ import annotations

from .base import E, S, Sample, T

_A, _B, _V = T((2, 3)), T((1, 3)), T(3)
_SCALAR = T(())
_INT = T((2, 3), dtype="int64")
_NOTHING = T(0)


def _stacks() -> list[Sample]:
    return [S([_A, _A]), S([_V, _V]), S([_SCALAR, _SCALAR]), S([T((2, 3, 2)), T((2, 3, 2))]), S([_A, _INT]), S([_A]), E([])]


def _at_least() -> list[Sample]:
    return [S(_SCALAR), S(_V), S(_A), S(T((2, 3, 2))), S(T((2, 1, 3, 2))), S(_SCALAR, _V), S([_SCALAR, _A]), S(T(0))]


SAMPLES: dict[str, list[Sample]] = {
    "cat": [
        S([_A, _B]),
        S([_A, T((2, 1))], 1),
        S([_A, _B], -2),
        S([_A]),
        S((_A, _A), dim=1),
        S([_A, _NOTHING]),
        S([_NOTHING, _A], 1),
        S([_NOTHING, _NOTHING]),
        S([_V, _NOTHING]),
        S([_A, T((0, 3))]),
        S([_A, _INT]),
        S([_INT, _INT]),
        S([T((2, 3), dtype="float32"), _A]),
        S([_A, T((2, 3), grad=False)]),
        S([T((3, 4), layout="transposed"), T((3, 4), layout="strided")]),
        S([T((2, 3), dtype="complex128"), _A]),
        S([T(2, dtype="bool"), T(2, dtype="int64")]),
        E([]),
        E([_SCALAR, _SCALAR]),
        E([_A, _V]),
        E([_A, _V, _SCALAR]),
        E([_A, _B], 1),
        E([_A, _B], 2),
        E([_A, T((2, 0))]),
        E([_A, 2.0]),
        E(_A),
    ],
    "stack": [
        S([_A, _A]),
        S([_A, _A, _A], 1),
        S([_A, _A], -1),
        S([_SCALAR, _SCALAR]),
        S([T((0, 3)), T((0, 3))]),
        S([_A, _INT]),
        S([T((2, 3), dtype="float32"), _A]),
        S([_A, T((2, 3), grad=False)]),
        S([T((3, 4), layout="transposed")]),
        E([]),
        E([_A, _B]),
        E([_A], 3),
        E([_SCALAR], 1),
    ],
    "hstack": _stacks(),
    "vstack": [*_stacks(), S([_A, _B])],
    "dstack": _stacks(),
    "column_stack": [*_stacks(), S([T(2), _A])],
    "block_diag": [
        S(_A, _B),
        S(_V, _SCALAR),
        S(_A),
        S(_A, _INT),
        S(T((2, 3), dtype="float32"), _A),
        S(T((0, 3)), _A),
        E(T((2, 3, 2))),
    ],
    "broadcast_tensors": [S(_A, _B), S(_A, _SCALAR), S(_A, _A), S(T((2, 1)), T((1, 3))), E(_A, T(2))],
    "meshgrid": [
        S(_V, T(2), indexing="ij"),
        S(_V, T(2), indexing="xy"),
        S(_V, indexing="xy"),
        S(_V, _SCALAR, T(2), indexing="xy"),
        S([_V, T(0)], indexing="ij"),
        S(T(3, dtype="int64"), T(2, dtype="int64"), indexing="ij"),
        E(_V, _A, indexing="ij").but(same_error_text=False),
        E(_V, T(3, dtype="float32"), indexing="ij"),
        E([_V, _V], indexing="xx"),
    ],
    "cartesian_prod": [
        S(_V, T(2)),
        S(_V, T(2), T(4)),
        S(_V),
        S(T(3, layout="strided"), T(2)),
        S(T(0), T(2)),
        S(T(3, dtype="int64"), T(2, dtype="int64")),
        S(T(2, dtype="float32"), T(2, dtype="float32")),
        E(_V, _SCALAR),
        E(_A),
        E(_V, T(3, dtype="float32")),
    ],
    "atleast_1d": _at_least(),
    "atleast_2d": _at_least(),
    "atleast_3d": _at_least(),
}
