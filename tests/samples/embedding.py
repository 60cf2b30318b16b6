"""Samples of rows looked up by number."""

from __future__ import annotations

from typing import Any

from .base import E, S, Sample, T

_F = "nn.functional."
_TABLE = T((5, 3))


def _at(values: Any, dtype: str = "int64") -> T:
    return T(values=values, dtype=dtype)


def _left_out(sample: Sample) -> Sample:
    return sample.but(derivative=False)


def _by_count(sample: Sample) -> Sample:
    # torch's second derivative forgets the counts.
    return sample.but(derivative=False, grad2=False)


_NONE = T((0,), dtype="int64")

SAMPLES: dict[str, list[Sample]] = {
    "embedding": [
        S(_TABLE, _at([1, 2, 1])),
        _left_out(S(_TABLE, _at([1, 2, 1]), 1)),
        _by_count(S(_TABLE, _at([[1, 2], [1, 4]]), -1, True)),
        E(T(3), _at([1])),
    ],
    _F + "embedding": [
        S(_at([1, 2, 1]), _TABLE),
        _left_out(S(_at([[1, 2], [0, 1]]), _TABLE, 1)),
        _left_out(S(_at([[1, 2], [0, 4]]), _TABLE, -1)),
        _left_out(S(_at([0, 1]), _TABLE, padding_idx=0)),
        S(_at(1), _TABLE),
        # torch cannot differentiate this one twice.
        S(_NONE, _TABLE).but(grad2=False),
        _by_count(S(_at([1, 2, 1]), _TABLE, scale_grad_by_freq=True)),
        S(_at([1, 3], "int32"), _TABLE),
        S(_at([1, 2, 1]), T((5, 3), dtype="float32")),
        S(_at([1, 2, 1]), T((5, 3), layout="transposed")),
        S(_at([1, 2]), T((5, 3), dtype="int64")),
        E(_at([7]), _TABLE).but(error_from_values=True),
        E(_at([-1]), _TABLE).but(error_from_values=True),
        E(_at([1.0], "float32"), _TABLE),
        E(_at([1], "uint8"), _TABLE),
        E(_at([True], "bool"), _TABLE),
        E(_at([1]), T(3)),
        E(_at([1]), T((3, 2, 2))),
    ],
    _F + "one_hot": [
        S(_at([1, 2])),
        S(_at([1, 2]), 5),
        S(_at([[0, 1], [2, 2]]), num_classes=3),
        S(_at(2)),
        S(_at(2), 4),
        S(_NONE, 3),
        E(_at([1, 2]), 2).but(error_from_values=True),
        E(_at([-1, 2]), 5).but(error_from_values=True),
        E(_at([-1, 2])).but(error_from_values=True),
        E(_at([1.0], "float32"), 3),
        E(_at([1], "int32"), 3),
        E(_NONE),
        E(_NONE, 0),
        E(_at([1]), 0),
        E(_at([1]), -2),
    ],
}
