"""Samples as nodes of a program: what a caller would send for them."""

from __future__ import annotations

from typing import Any

from gradwire_engine import codec

from .base import G, Sample, T


class NotSendable(Exception):
    """A sample with something in it that documents cannot hold, such as a generator."""


def sample_document(name: str, sample: Sample) -> dict[str, Any]:
    """A request with the sample as its only node, ``y``; its tensors are inputs ``x0``, ``x1``, ...

    Raises:
        NotSendable: JSON has no form for it.
    """
    inputs: dict[str, Any] = {}

    def sent(item: Any) -> Any:
        if isinstance(item, T):
            array = item.array(len(inputs))
            inputs[f"x{len(inputs)}"] = {"data": codec.to_lists(array), "dtype": array.dtype.name, "shape": list(array.shape)}
            return f"x{len(inputs) - 1}"
        if isinstance(item, G):
            raise NotSendable
        if isinstance(item, slice):
            if any(isinstance(b, T) for b in (item.start, item.stop, item.step)):
                raise NotSendable
            return {"slice": [item.start, item.stop, item.step]}
        if item is Ellipsis:
            return "..."
        if isinstance(item, complex):
            return {"complex": [item.real, item.imag]}
        if isinstance(item, float) and (item != item or abs(item) == float("inf")):
            return "NaN" if item != item else "Infinity" if item > 0 else "-Infinity"
        if isinstance(item, (list, tuple)):
            return [sent(i) for i in item]
        if item is None or isinstance(item, (bool, int, float, str)):
            return item
        raise NotSendable

    args = [sent(a) for a in sample.args]
    if name == "getitem" and len(args) > 1 and not (isinstance(sample.args[1], tuple)):
        args[1] = [args[1]]
    node = {"name": "y", "op": name, "args": args, "kwargs": {key: sent(v) for key, v in sample.kwargs.items()}}
    return {"inputs": inputs, "nodes": [node], "outputs": []}
