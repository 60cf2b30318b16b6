"""What a module consists of: its parameters, buffers and modules, by name and in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

from gradwire_engine.value import Value

from ..parameter import Parameter

if TYPE_CHECKING:
    from .module import Module


class Members:
    """The part of ``Module`` that walks through it."""

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Value | None]
    _modules: dict[str, Module | None]

    def _get_name(self) -> str:
        return type(self).__name__

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, each before its children, with their dotted names.

        Args:
            memo: Modules that are passed over.
            prefix: What the names start with.
            remove_duplicate: Whether a module that occurs several times is given once.
        """
        seen: set[Any] = set() if memo is None else memo
        if self in seen:
            return
        if remove_duplicate:
            seen.add(self)
        yield prefix, self  # type: ignore[misc]
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(seen, _joined(prefix, name), remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, each before its children."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes of this one, with their names."""
        seen = set[Any]()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules that are attributes of this one."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self, members_of: Callable[[Any], Iterable[tuple[str, Any]]], prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen = set[int]()
        owners: Iterable[tuple[str, Any]] = [(prefix, self)]
        if recurse:
            owners = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for owner_name, owner in owners:
            for name, member in members_of(owner):
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield _joined(owner_name, name), member

    def named_parameters(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted names.

        Args:
            prefix: What the names start with.
            recurse: Whether those of the modules below belong to them.
            remove_duplicate: Whether a parameter that occurs several times is given once.
        """
        yield from self._named_members(lambda module: module._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, which is what an optimizer is given."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True) -> Iterator[tuple[str, Value]]:
        """The buffers with their dotted names; the arguments are those of ``named_parameters``."""
        yield from self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Value]:
        """The buffers."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module with the dotted name ``target``; this one for an empty name.

        Raises:
            AttributeError: There is none (torch's message).
        """
        found: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(found, name):
                raise AttributeError(f"{found._get_name()} has no attribute `{name}`")
            found = getattr(found, name)
            if not isinstance(found, Members):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return found  # type: ignore[no-any-return]

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with the dotted name ``target``.

        Raises:
            AttributeError: There is none (torch's message).
        """
        found = self._attribute(target)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{target.rpartition('.')[2]}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Value:
        """The buffer with the dotted name ``target``.

        Raises:
            AttributeError: There is none (torch's message).
        """
        path, _, name = target.rpartition(".")
        found = self._attribute(target)
        if name not in self.get_submodule(path)._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return found  # type: ignore[no-any-return]

    def _attribute(self, target: str) -> Any:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if not hasattr(owner, name):
            raise AttributeError(f"{owner._get_name()} has no attribute `{name}`")
        return getattr(owner, name)

    def apply(self, fn: Callable[[Module], None]) -> Self:
        """Calls ``fn`` with every module below this one and then with this one; returns this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)  # type: ignore[arg-type]
        return self

    def train(self, mode: bool = True) -> Self:
        """Sets the training mode of this module and all below it, which ``Dropout`` goes by; returns this one.

        Raises:
            ValueError: ``mode`` is no boolean.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Leaves the training mode (``train(False)``)."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Sets ``requires_grad`` of all parameters; returns the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the gradients of all parameters, or overwrites them with zeros."""
        for parameter in self.parameters():
            clear_grad(parameter, set_to_none)


def clear_grad(parameter: Any, set_to_none: bool) -> None:
    """Forgets the gradient of one parameter, or overwrites it with zeros, without history."""
    grad = parameter.grad
    if grad is None:
        return
    if set_to_none:
        parameter.grad = None
        return
    if grad.grad_fn is not None:
        grad.detach_()
    else:
        grad.requires_grad_(False)
    grad.zero_()


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
