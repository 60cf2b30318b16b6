"""Samples of softmax, its logarithm and log-sum-exp."""

from __future__ import annotations

from .base import E, S, Sample, T

INF = float("inf")


def softmaxes() -> list[Sample]:
    """``softmax`` and ``log_softmax``."""
    return [
        S(T(()), 0),
        S(T(3), 0),
        S(T((2, 3)), 0),
        S(T((2, 3)), -1),
        S(T((2, 3, 4)), dim=1),
        S(T((0, 3)), 0),
        S(T((2, 0)), 1),
        S(T(values=[1000.0, 1001.0, -1000.0]), 0),
        S(T(values=[0.0, -INF, 1.0]), 0).but(grad2=False),
        S(T((3, 4), layout="transposed"), 0),
        S(T((3, 4), layout="strided"), 1),
        S(T((2, 3), dtype="float32"), 1),
        S(T((2, 3), dtype="float32"), 1, dtype="float64"),
        S(T((2, 3)), 1, dtype="float64"),
        S(T((2, 3), dtype="float16"), 1).but(rtol=1e-2),
        S(T((2, 3), dtype="int64"), 1, dtype="float32"),
        E(T((2, 3), dtype="int64"), 0),
        E(T((2, 3), dtype="int64"), 1),
        E(T((2, 3), dtype="bool"), 1),
        E(T(3, dtype="complex128"), 0),
        E(T((2, 3)), 2),
        E(T(()), 1),
        E(T((2, 3))),
    ]


SAMPLES: dict[str, list[Sample]] = {
    "softmax": softmaxes(),
    "log_softmax": softmaxes(),
    "nn.functional.softmax": [S(T((2, 3)), 1), S(T((2, 3), dtype="float32"), dim=0, dtype="float64")],
    "nn.functional.log_softmax": [S(T((2, 3)), 1), S(T((2, 3), dtype="float32"), dim=0, dtype="float64")],
    "logsumexp": [
        S(T(()), 0),
        S(T(()), (0,)),
        S(T((2, 3)), 0),
        S(T((2, 3)), -1, True),
        S(T((2, 3, 4)), (0, -1)),
        S(T((2, 3, 4)), dim=(0, 2), keepdim=True),
        S(T((0, 3)), 0),
        S(T((0, 3)), 1),
        S(T(values=[1000.0, 1001.0, -1000.0]), 0),
        S(T(values=[-INF, -INF]), 0).but(grad2=False),
        S(T(values=[INF, 1.0]), 0).but(grad=False),
        S(T((3, 4), layout="transposed"), 0),
        S(T((2, 3), dtype="float32"), 1),
        S(T((2, 3), dtype="float16"), 1),
        S(T((2, 3), dtype="complex128"), 1),
        S(T((2, 3), dtype="int64"), 1),
        S(T((2, 3), dtype="bool"), 0),
        E(T((2, 3)), 2),
        E(T((2, 3)), (0, 0)),
        E(T((2, 3)), None).but(same_error_text=False),
    ],
}
