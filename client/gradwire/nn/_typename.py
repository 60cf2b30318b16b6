"""What torch's messages call the type of an object."""

from __future__ import annotations

from typing import Any

from gradwire_engine.value import Value


def typename(obj: Any) -> str:
    """The name that ``torch.typename`` gives: ``torch.FloatTensor`` for a tensor, else the type's module and name."""
    if isinstance(obj, Value):
        return f"torch.{obj.dtype.torch_name}Tensor"
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(named, "__module__", "")
    if module in ("", "builtins"):
        return str(named.__qualname__)
    return f"{torch_path(module)}.{named.__qualname__}"


def torch_path(module: str) -> str:
    """torch's name of one of our modules, which lie at the same places; other modules keep theirs."""
    return "torch" + module.removeprefix("gradwire") if module == "gradwire" or module.startswith("gradwire.") else module


def class_text(cls: type) -> str:
    """What ``str`` of a class gives in torch: ``<class 'torch.nn.modules.linear.Linear'>``."""
    return f"<class '{typename(cls)}'>"
