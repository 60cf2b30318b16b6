"""Batching: a function of one item, run on many at once (``torch.func.vmap``).

``Batched`` is a recorder like the others. Its payload is a value of another recorder with a leading axis, the batch, and its
shape is that of one item; an operation on it is one operation on the whole batch (``apply``). The value inside may be an eager
tensor, a symbol, or itself batched: levels nest, and a deeper one takes precedence.

How this goes with the backward graph. A ``Batched`` has a history of its own like any value, and the value inside has its own,
and both are right without knowing of each other:

- The rules of an op are written in ops on items, so a walk over the history of a ``Batched`` runs them on ``Batched`` values: that
  is the gradient of each item by itself, ``vmap(grad(f))``. An input that is not mapped is ``Batched`` all the same, so it gets
  a gradient for each item.
- The operation on the whole batch is recorded by the value inside, with the rules of whatever operations carry it out; a walk from
  there is ``grad(vmap(f))``, and sees nothing of the level above.
- A walk over a graph of plain values may be given cotangents that are ``Batched``. Saved tensors are plain then, and each rule mixes
  the two, which is a call with one operand that is mapped and others that are not. So all rows of a Jacobian come from one walk
  (``rows.of_each_row``).
"""

from __future__ import annotations

from .batch import Batch as Batch
from .batch import Batched as Batched
from .vmap import vmap as vmap

__all__ = ["Batch", "Batched", "vmap"]
