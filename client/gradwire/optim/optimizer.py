"""What all optimizers have in common: groups of parameters, state, and hooks around a step."""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

from gradwire_engine.modes import enable_grad, set_grad_enabled
from gradwire_engine.op import ops
from gradwire_engine.value import Value

from ..nn._typename import class_text, typename
from ..nn.modules._hooks import RemovableHandle, add_hook
from ..nn.modules._members import clear_grad

Hook = Callable[..., Any]
_HOOKS = ("step_pre", "step_post", "state_dict_pre", "state_dict_post", "load_state_dict_pre", "load_state_dict_post")


class Optimizer:
    """The base of the optimizers (``torch.optim.Optimizer``).

    Args:
        params: Tensors, pairs of a name and a tensor, or dictionaries of which each is a group with options of its own.
        defaults: The options of groups that do not have their own.

    Attributes:
        param_groups: The groups: dictionaries with ``"params"`` and the options.
        state: What the optimizer remembers of each parameter.
        defaults: The options of groups that do not have their own.

    Raises:
        TypeError: ``params`` is one tensor, or something in it is no tensor.
        ValueError: There are no parameters, one is in two groups or was computed, or an option is out of range.
    """

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._hooks: dict[str, OrderedDict[int, Hook]] = {kind: OrderedDict() for kind in _HOOKS}
        if isinstance(params, Value):
            raise TypeError(f"params argument given to the optimizer should be an iterable of Tensors or dicts, but got {typename(params)}")
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _hooked(cls.__dict__["step"])  # type: ignore[method-assign]

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__.setdefault("_hooks", {kind: OrderedDict() for kind in _HOOKS})
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of all parameters, or overwrites them with zeros."""
        for group in self.param_groups:
            for parameter in group["params"]:
                clear_grad(parameter, set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes the parameters by what their gradients say.

        Args:
            closure: Computes the loss and its gradients anew.

        Returns:
            What ``closure`` returned.

        Raises:
            NotImplementedError: The subclass does not define it.
        """
        raise NotImplementedError

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds a group of parameters with its options.

        Args:
            param_group: ``"params"``, one tensor or several, perhaps with names; and options.

        Raises:
            TypeError: It is no dictionary, the parameters have no order, or something is no tensor.
            ValueError: A parameter is in another group, was computed, or lacks a name that others have.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {class_text(type(param_group))}")
        given = param_group["params"]
        if isinstance(given, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets will change between "
                "runs. Please use a list instead."
            )
        items = [given] if isinstance(given, Value) else list(given)
        names = [item[0] for item in items if isinstance(item, tuple)]
        if names and len(names) != len(items):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        parameters = param_group["params"] = [item[1] if isinstance(item, tuple) else item for item in items]
        if names:
            param_group["param_names"] = names
        for parameter in parameters:
            if not isinstance(parameter, Value):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {typename(parameter)}")
            if not self.defaults.get("differentiable") and not (parameter.is_leaf or parameter.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        self._check_group(param_group)
        self.param_groups.append(param_group)

    def _check_group(self, group: dict[str, Any]) -> None:
        own = {id(parameter) for parameter in group["params"]}
        if len(own) != len(group["params"]):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=4,
            )
        named = "param_names" in group
        if any(named != ("param_names" in other) for other in self.param_groups):
            raise ValueError(
                "all optimizer param groups should be with/without names. cannot add param group "
                f"{'with' if named else 'without'} names to the optimizer"
            )
        if not own.isdisjoint(id(parameter) for other in self.param_groups for parameter in other["params"]):
            raise ValueError("some parameters appear in more than one parameter group")

    # State.

    def state_dict(self) -> dict[str, Any]:
        """The state and the options of the groups as a dictionary, in which numbers stand for the parameters."""
        for hook in self._hooks["state_dict_pre"].values():
            hook(self)
        numbers: dict[int, int] = {}
        for position, parameter in enumerate(chain.from_iterable(group["params"] for group in self.param_groups)):
            numbers.setdefault(id(parameter), position)
        groups = [
            {key: value for key, value in group.items() if key != "params"} | {"params": [numbers[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        saved = {numbers[id(key)] if isinstance(key, Value) else key: value for key, value in self.state.items()}
        result: dict[str, Any] = {"state": saved, "param_groups": groups}
        for hook in self._hooks["state_dict_post"].values():
            changed = hook(self, result)
            result = result if changed is None else changed
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over the state and the options that ``state_dict`` gave.

        Raises:
            ValueError: The groups have other numbers of parameters (torch's messages).
        """
        state_dict = state_dict.copy()
        for hook in self._hooks["load_state_dict_pre"].values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved_groups = deepcopy(state_dict["param_groups"])
        if len(self.param_groups) != len(saved_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(own["params"]) != len(saved["params"]) for own, saved in zip(self.param_groups, saved_groups, strict=True)):
            raise ValueError("loaded state dict contains a parameter group that doesn't match the size of optimizer's group")
        parameters = dict(
            zip(
                chain.from_iterable(group["params"] for group in saved_groups),
                chain.from_iterable(group["params"] for group in self.param_groups),
                strict=True,
            )
        )
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in parameters:
                state[parameters[key]] = _cast(value, parameters[key])
            else:
                state[key] = value
        for own, saved in zip(self.param_groups, saved_groups, strict=True):
            saved["params"] = own["params"]
            if "param_names" in own:
                saved.setdefault("param_names", own["param_names"])
        self.__setstate__({"state": state, "param_groups": saved_groups})
        for hook in self._hooks["load_state_dict_post"].values():
            hook(self)

    # Hooks.

    def register_step_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Calls ``hook(optimizer, args, kwargs)`` before each step; a pair that it returns replaces both."""
        return add_hook(self._hooks["step_pre"], hook)

    def register_step_post_hook(self, hook: Hook) -> RemovableHandle:
        """Calls ``hook(optimizer, args, kwargs)`` after each step."""
        return add_hook(self._hooks["step_post"], hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer)`` before the state is saved."""
        return add_hook(self._hooks["state_dict_pre"], hook, prepend=prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer, state_dict)`` after the state is saved; what it returns replaces the dictionary."""
        return add_hook(self._hooks["state_dict_post"], hook, prepend=prepend)

    def register_load_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer, state_dict)`` before a state is loaded; what it returns replaces the dictionary."""
        return add_hook(self._hooks["load_state_dict_pre"], hook, prepend=prepend)

    def register_load_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls ``hook(optimizer)`` after a state was loaded."""
        return add_hook(self._hooks["load_state_dict_post"], hook, prepend=prepend)


def _hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step`` with the hooks around it, without history unless the optimizer is differentiable."""

    @functools.wraps(step)
    def wrapped(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        for hook in self._hooks["step_pre"].values():
            # torch's hooks see the optimizer as the first of the arguments.
            changed = hook(self, (self, *args), kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}.")
                (self, *args), kwargs = changed
        result = step(self, *args, **kwargs)
        for hook in self._hooks["step_post"].values():
            hook(self, (self, *args), kwargs)
        return result

    return wrapped


def closed_over(closure: Callable[[], Any] | None) -> Any:
    """What the closure of a step returns, which is run with history; ``None`` without one."""
    if closure is None:
        return None
    with enable_grad():
        return closure()


def recording(optimizer: Optimizer) -> set_grad_enabled:
    """The mode in which an optimizer changes its parameters: without history, unless it is differentiable."""
    return set_grad_enabled(bool(optimizer.defaults["differentiable"]))


def scalar(value: Any) -> Any:
    """An option as it is, but a tensor of one element without dimensions."""
    return value.squeeze() if isinstance(value, Value) and value.dim() else value


def _cast(value: Any, parameter: Any, key: Any = None) -> Any:
    """A saved state in the dtype of its parameter; the count of steps keeps its own."""
    if isinstance(value, Value):
        return ops.to(value, parameter.dtype) if key != "step" and parameter.is_floating_point() else value
    if isinstance(value, dict):
        return {k: _cast(v, parameter, k) for k, v in value.items()}
    if isinstance(value, Iterable):
        return type(value)(_cast(v, parameter) for v in value)  # type: ignore[call-arg]
    return value
