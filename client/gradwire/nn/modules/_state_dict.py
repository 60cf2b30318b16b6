"""Saving the state of a module as a dictionary, and loading it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from gradwire_engine.modes import no_grad
from gradwire_engine.value import Value

from .._typename import class_text
from ..parameter import Parameter
from ._hooks import RemovableHandle, add_hook
from ._members import Members

_EXTRA_STATE = "_extra_state"


class _Keys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]


class IncompatibleKeys(_Keys):
    """What ``load_state_dict`` could not match."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys!r}, unexpected_keys={self.unexpected_keys!r})"

    __str__ = __repr__


class State(Members):
    """The part of ``Module`` that saves and loads."""

    _version: int = 1
    _non_persistent_buffers_set: set[str]
    _state_dict_hooks: OrderedDict[int, Callable[..., Any]]
    _state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _load_state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _load_state_dict_post_hooks: OrderedDict[int, Callable[..., Any]]

    def get_extra_state(self) -> Any:
        """What ``state_dict`` holds beside parameters and buffers; a module that has such state overrides this.

        Raises:
            RuntimeError: It is not overridden.
        """
        raise RuntimeError(f"{self._get_name()} has no extra state: get_extra_state() is for modules that override it.")

    def set_extra_state(self, state: Any) -> None:
        """Takes what ``get_extra_state`` gave, when it is loaded; a module that has such state overrides this.

        Raises:
            RuntimeError: It is not overridden.
        """
        raise RuntimeError(f"{self._get_name()} has no extra state: set_extra_state() is for modules that override it.")

    def _own_state(self) -> Iterator[tuple[str, Any]]:
        """The parameters and the buffers that are saved, of this module alone."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                yield name, parameter
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                yield name, buffer

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, tensor in self._own_state():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if type(self).get_extra_state is not State.get_extra_state:
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def state_dict(self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """All parameters and persistent buffers by their dotted names; they share storage with the module's.

        Args:
            destination: The dictionary to fill; a new ordered one when left out.
            prefix: What the names start with.
            keep_vars: Whether the tensors themselves are given rather than detached ones.
        """
        if destination is None:
            destination = OrderedDict()
            # The versions of the modules, which torch too keeps in an attribute.
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            if hook(self, destination, prefix, metadata) is not None:
                raise RuntimeError("state_dict post-hook must return None")
        return destination

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(module, prefix, keep_vars)`` before the state is saved."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(module, state_dict, prefix, local_metadata)``, which may change the dictionary, after the state is saved."""
        return add_hook(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)`` before loading."""
        return add_hook(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls ``hook(module, incompatible_keys)``, which may change the keys, after loading."""
        return add_hook(self._load_state_dict_post_hooks, hook)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> IncompatibleKeys:
        """Copies the tensors of ``state_dict`` over the parameters and buffers of the same names.

        Args:
            state_dict: Tensors by their dotted names.
            strict: Whether the names have to be exactly those of ``state_dict()``.
            assign: Whether the tensors take the place of the module's rather than being copied over them.

        Returns:
            The keys that are missing and those that are unexpected.

        Raises:
            TypeError: ``state_dict`` is no mapping.
            RuntimeError: Keys or shapes do not match (torch's message, which lists all of it).
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        keys = IncompatibleKeys([], [])
        errors: list[str] = []
        _load(self, OrderedDict(state_dict), "", getattr(state_dict, "_metadata", {}), assign, keys, errors)
        if strict:
            for kind, names in (("Unexpected", keys.unexpected_keys), ("Missing", keys.missing_keys)):
                if names:
                    listed = ", ".join(f'"{name}"' for name in names)
                    errors.insert(0, f"{kind} key(s) in state_dict: {listed}. ")
        if errors:
            raise RuntimeError("Error(s) in loading state_dict for {}:\n\t{}".format(self._get_name(), "\n\t".join(errors)))
        return keys

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Loads this module's own tensors, without those of the modules below; what does not match is added to the lists."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own = dict(self._own_state())
        for name, tensor in own.items():
            if prefix + name in state_dict:
                error = self._load_tensor(name, tensor, prefix + name, state_dict[prefix + name], local_metadata)
                error_msgs.extend([error] if error else [])
            elif strict:
                missing_keys.append(prefix + name)
        extra = prefix + _EXTRA_STATE
        has_extra = type(self).set_extra_state is not State.set_extra_state
        if has_extra and extra in state_dict:
            self.set_extra_state(state_dict[extra])
        elif strict and has_extra:
            missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    name, dot, _ = key[len(prefix) :].partition(".")
                    if name not in (self._modules if dot else own):
                        unexpected_keys.append(key)

    def _load_tensor(self, name: str, tensor: Any, key: str, given: Any, local_metadata: dict[str, Any]) -> str | None:
        """Loads one tensor, and says what is wrong with it if something is."""
        if not isinstance(given, Value):
            return (
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint but received '
                f"{class_text(type(given))}"
            )
        if not tensor.shape and given.shape == (1,):
            given = given[0]
        if given.shape != tensor.shape:
            return (
                f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, "
                f"the shape in current model is {tensor.shape}."
            )
        try:
            with no_grad():
                if not local_metadata.get("assign_to_params_buffers", False):
                    tensor.copy_(given)
                    return None
                if isinstance(tensor, Parameter):
                    if isinstance(given, Parameter):
                        given.requires_grad_(tensor.requires_grad)
                    else:
                        given = Parameter(given, requires_grad=tensor.requires_grad)
                setattr(self, name, given)
        except Exception as error:
            return (
                f'While copying the parameter named "{key}", whose dimensions in the model are {tensor.size()} and whose dimensions in the '
                f"checkpoint are {given.size()}, an exception occurred : {error.args}."
            )
        return None


def _load(module: Any, state: Any, prefix: str, metadata: Any, assign: bool, keys: IncompatibleKeys, errors: list[str]) -> None:
    """Loads ``module`` and all below it from the part of the state that starts with ``prefix``."""
    local = dict(metadata.get(prefix[:-1], {}))
    if assign:
        local["assign_to_params_buffers"] = assign
    # Whether names are checked is decided at the end: hooks see all that does not match.
    module._load_from_state_dict(state, prefix, local, True, keys.missing_keys, keys.unexpected_keys, errors)
    for name, child in module._modules.items():
        if child is not None:
            below = f"{prefix}{name}."
            _load(child, {k: v for k, v in state.items() if k.startswith(below)}, below, metadata, assign, keys, errors)
    for hook in module._load_state_dict_post_hooks.values():
        if hook(module, keys) is not None:
            raise AssertionError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values, if incompatible_keys "
                "need to be modified, it should be done inplace."
            )
