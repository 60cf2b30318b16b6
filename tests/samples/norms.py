"""Samples of norms and distances."""

from __future__ import annotations

from .base import E, S, Sample, T

INF = float("inf")
ZEROS = [[0.0, 0.0, 0.0], [1.0, 0.0, -2.0]]
TIES = [[2.0, -2.0, 1.0], [-1.0, 1.0, 0.5]]
ORDERS = (0, 1, 2, 3, 1.5, 0.5, -1, -1.5, INF, -INF)


def vector_norms() -> list[Sample]:
    """What takes an order, dimensions and ``keepdim``, as ``linalg.vector_norm`` and ``norm`` do."""
    return [
        *[S(T((2, 3)), p) for p in ORDERS],
        *[S(T((2, 3)), p, 1) for p in ORDERS],
        *[S(T((2, 3), dtype="complex128"), p, 0) for p in (0, 1, 2, 3, 1.5, 0.5, INF)],
        # A norm has a kink where it vanishes.
        *[S(T(values=ZEROS), p, 1).but(grad2=False) for p in (0, 1, 2, 3, 1.5, 0.5, -1, INF)],
        S(T(values=TIES), INF, 1).but(grad2=False),
        S(T(values=TIES), -INF, 1, True).but(grad2=False),
        S(T((2, 3, 4)), 2, (0, -1)),
        S(T((2, 3, 4)), 3, (0, 2), True),
        S(T((2, 3)), 2, None, True),
        S(T((2, 3)), 2, ()),
        S(T(())),
        S(T(()), 2, 0),
        S(T((0, 3))),
        S(T((0, 3)), INF, 1),
        S(T((0, 3)), 1, 0),
        S(T((3, 4), layout="transposed"), 2, 0),
        S(T((3, 4), layout="strided"), 1, 1),
        S(T((2, 3), dtype="float32"), 2, 1),
        S(T((2, 3), dtype="float32"), 3, dtype="float64"),
        S(T((2, 3), dtype="float16"), 2),
        S(T((2, 3), dtype="complex64")),
        S(T((2, 3), dtype="complex64", grad=False), 1, dtype="complex128"),
        E(T((0, 3)), INF),
        E(T((0, 3)), -1),
        E(T((0, 3)), INF, 0),
        E(T((2, 3)), 2, 2),
        E(T((2, 3)), 2, (0, 0)),
        E(T(3, dtype="int64")),
        E(T(3), dtype="float32"),
        E(T(3), dtype="int64"),
        E(T(3), dtype="complex128"),
        E(T(3, dtype="complex64"), dtype="float32"),
    ]


MATRIX = [
    S(T((2, 3))),
    S(T((2, 3)), "fro"),
    S(T((2, 3)), 1),
    S(T((2, 3)), -1),
    S(T((2, 3)), INF),
    S(T((2, 3)), -INF, keepdim=True),
    S(T((2, 3, 4)), 1, (0, -1)),
    S(T((2, 3, 4)), INF, (2, 1), True),
    S(T((2, 3, 4)), "fro", (0, 2)),
    S(T((2, 3), dtype="float32"), 1, dtype="float64"),
    S(T((2, 3), dtype="complex128"), 1),
    S(T((3, 4), layout="transposed"), 1),
    E(T((2, 3)), "foo"),
    E(T((2, 3)), 3),
    E(T((2, 3)), 1, dtype="float32"),
    E(T((2, 3), dtype="int64"), 1),
]

SAMPLES: dict[str, list[Sample]] = {
    "linalg.vector_norm": [*vector_norms(), E(T(3), 2j)],
    "norm": [
        *vector_norms(),
        S(T((2, 3)), "fro"),
        S(T((2, 3)), p="fro", dim=(0, 1), keepdim=True),
        S(T((2, 3)), "fro", 0),
        S(T((2, 3)), None),
        E(T((2, 3)), "foo"),
    ],
    "linalg.matrix_norm": [
        *MATRIX,
        S(T((2, 3, 4)), 1),
        S(T((0, 3), grad=False), 1),
        S(T((0, 3), grad=False), INF),
        S(T((3, 0), grad=False), 1),
        S(T((2, 0, 3), grad=False), INF, keepdim=True),
        E(T((0, 3)), -INF),
        E(T(3)),
        E(T((2, 3)), "fro", (0,)),
        E(T((2, 3)), 1, (0, 0)),
        E(T((2, 3)), 1, (0, 2)),
    ],
    "linalg.norm": [
        *MATRIX,
        S(T(3)),
        S(T(3), 3),
        S(T((2, 3)), dim=(0, 1)),
        S(T((2, 3)), 2, 0),
        S(T((2, 3)), 2, (1,), True),
        S(T((2, 3, 4))),
        E(T((2, 3, 4)), 2),
        E(T(3), "fro"),
        E(T(3), 2, ()),
        E(T((2, 3)), 0),
    ],
    "dist": [
        *[S(T((2, 3)), T((2, 3)), p) for p in (1, 2, 3, 1.5, 0.5, INF, -INF)],
        S(T((2, 3)), T((2, 3)), 0).but(grad=False),
        S(T((2, 3)), T((3,))),
        S(T((2, 1)), T((1, 3)), p=1),
        S(T(()), T((2, 3))),
        S(T((2, 3), values=TIES), T(values=TIES)).but(grad2=False),
        S(T((2, 3), dtype="float32"), T((2, 3))),
        S(T(3, dtype="float32"), T(())),
        S(T((2, 3), dtype="complex128"), T((2, 3), dtype="complex128")),
        # torch has no gradient of a complex tensor's distance from a real one.
        S(T((2, 3), dtype="complex128"), T((2, 3))).but(grad=False),
        S(T(3), T(3, grad=False)),
        E(T(3, dtype="int64"), T(3, dtype="int64")),
        E(T((2, 3)), T(2)),
    ],
}
