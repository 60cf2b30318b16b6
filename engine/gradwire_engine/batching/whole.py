"""Kernels that take all items of a batch at once, by the op of which they are the form for a batch.

They are for ops whose one item cannot be told from many by shifting axes, and which are no sum of others either: the batch's axis
becomes more classes, rows or groups inside the kernel. A kernel gets every array with a leading axis, where it is the same for all
items too, and what is no array as it stands. What does not fit was refused before it runs, by the shape rule of the op.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ..op import Op

Kernel = Callable[..., Any]


@functools.cache
def _kernels() -> Mapping[str, Kernel]:
    # The ops are declared by modules that need this package to be there.
    from ..ops import batchnorm, embedding, likelihoods, normalise

    return {
        "_batch_norm": batchnorm.standardized_batch_of_batch,
        "_embedding_backward": embedding.embedding_backward_of_batch,
        "_embedding_double_backward": embedding.embedding_double_backward_of_batch,
        "_nll_loss": likelihoods.nll_of_batch,
        "_nll_loss2d": likelihoods.nll_of_batch,
        "_nll_loss_backward": likelihoods.nll_backward_of_batch,
        "embedding": embedding.embedding_of_batch,
        "nn.functional.group_norm": normalise.group_norm_of_batch,
        "nn.functional.layer_norm": normalise.layer_norm_of_batch,
    }


def whole_kernel(op: Op) -> Kernel | None:
    """The kernel of an op for many items at once, ``None`` where it has none and they go one by one."""
    return _kernels().get(op.full_name)
