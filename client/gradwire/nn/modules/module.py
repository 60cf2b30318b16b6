"""The base class of all modules: what it registers, and what a call does."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from gradwire_engine.value import Value

from .._typename import typename
from ..parameter import Buffer, Parameter
from ._conversion import Conversion
from ._hooks import RemovableHandle, add_hook
from ._state_dict import State


class Module(Conversion, State):
    """A function with parameters (``torch.nn.Module``).

    Parameters, buffers and other modules that are assigned as attributes are registered, in the order in which they are first
    assigned. A subclass calls ``super().__init__()`` before that, and defines ``forward``.

    Attributes:
        training: Whether the module is in training mode, which ``train`` and ``eval`` set.
    """

    call_super_init: bool = False
    _forward_hooks: OrderedDict[int, Callable[..., Any]]
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _forward_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            if kwargs:
                raise TypeError(f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'")
            if args:
                raise TypeError(f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given")
        # Not by assignment, which looks into the tables that are made here.
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _forward_hooks=OrderedDict(),
            _forward_hooks_with_kwargs=OrderedDict(),
            _forward_hooks_always_called=OrderedDict(),
            _forward_pre_hooks=OrderedDict(),
            _forward_pre_hooks_with_kwargs=OrderedDict(),
            _state_dict_hooks=OrderedDict(),
            _state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_post_hooks=OrderedDict(),
            _modules={},
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def _forward_unimplemented(self, *input: Any) -> None:
        """What the module computes; every subclass defines it.

        Raises:
            NotImplementedError: It does not (torch's message).
        """
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    # A variable rather than a method, so that a subclass may give it any parameters.
    forward: Callable[..., Any] = _forward_unimplemented

    # Registering.

    def register_buffer(self, name: str, tensor: Value | None, persistent: bool = True) -> None:
        """Adds a buffer, a tensor that belongs to the module's state and is no parameter.

        Args:
            name: The attribute.
            tensor: The buffer; ``None`` holds its place.
            persistent: Whether ``state_dict`` holds it.

        Raises:
            AttributeError: ``Module.__init__`` was not called.
            KeyError: The name is taken, empty, or has a dot.
            TypeError: The name is no string, or the buffer no tensor.
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Value):
            raise TypeError(f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)")
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter; ``None`` holds its place.

        Raises:
            AttributeError: ``Module.__init__`` was not called.
            KeyError: The name is taken, empty, or has a dot.
            TypeError: The name is no string, or it is no parameter.
            ValueError: The parameter was computed from other tensors.
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)")
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. To express '{name}' "
                "as a function of another Tensor, compute the value in the forward() method."
            )
        self._parameters[name] = param

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a module below this one; ``None`` holds its place.

        Raises:
            KeyError: The name is taken, empty, or has a dot.
            TypeError: The name is no string, or it is no module.
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("module", name, self._modules)
        self._modules[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as ``add_module``."""
        self.add_module(name, module)

    def _check_name(self, kind: str, name: Any, table: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in table:
            raise KeyError(f"attribute '{name}' already exists")

    # Attributes.

    def __getattr__(self, name: str) -> Any:
        for table in ("_parameters", "_buffers", "_modules"):
            held = self.__dict__.get(table)
            if held is not None and name in held:
                return held[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        tables = self.__dict__
        parameters, modules, buffers = tables.get("_parameters"), tables.get("_modules"), tables.get("_buffers")
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, self._buffers, self._modules)
            self.register_parameter(name, value)
        elif parameters is not None and name in parameters:
            if value is not None:
                raise TypeError(f"cannot assign '{typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)")
            parameters[name] = None
        elif isinstance(value, Module):
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, self._parameters, self._buffers)
            modules[name] = value
        elif modules is not None and name in modules:
            if value is not None:
                raise TypeError(f"cannot assign '{typename(value)}' as child module '{name}' (torch.nn.Module or None expected)")
            modules[name] = None
        elif isinstance(value, Buffer) or (buffers is not None and name in buffers):
            if value is not None and not isinstance(value, Value):
                raise TypeError(f"cannot assign '{typename(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)")
            persistent = value.persistent if isinstance(value, Buffer) else name not in self._non_persistent_buffers_set
            self.register_buffer(name, value, persistent)
        else:
            super().__setattr__(name, value)

    def _forget(self, name: str, *tables: dict[str, Any]) -> None:
        for table in (self.__dict__, *tables):
            table.pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = [*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers]
        return sorted(name for name in names if not name[0].isdigit())

    # Calling.

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls ``forward``, with the hooks around it."""
        if not (self._forward_hooks or self._forward_pre_hooks):
            return self.forward(*args, **kwargs)
        return self._call_with_hooks(args, kwargs)

    def register_forward_pre_hook(self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Calls ``hook(module, args)`` before ``forward``; what it returns replaces the arguments.

        Args:
            hook: The function.
            prepend: Whether it comes before the hooks that are there.
            with_kwargs: Whether it is ``hook(module, args, kwargs)`` and returns both or ``None``.
        """
        return add_hook(self._forward_pre_hooks, hook, prepend=prepend, marks=((self._forward_pre_hooks_with_kwargs, with_kwargs),))

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Calls ``hook(module, args, output)`` after ``forward``; what it returns replaces the output.

        Args:
            hook: The function.
            prepend: Whether it comes before the hooks that are there.
            with_kwargs: Whether it is ``hook(module, args, kwargs, output)``.
            always_call: Whether it is also called when ``forward`` raises.
        """
        marks = ((self._forward_hooks_with_kwargs, with_kwargs), (self._forward_hooks_always_called, always_call))
        return add_hook(self._forward_hooks, hook, prepend=prepend, marks=marks)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = None
        done = set[int]()
        try:
            for number, hook in [*self._forward_pre_hooks.items()]:
                args, kwargs = self._run_pre_hook(number, hook, args, kwargs)
            result = self.forward(*args, **kwargs)
            for number, hook in [*self._forward_hooks.items()]:
                done.add(number)
                result = self._run_hook(number, hook, args, kwargs, result)
        except Exception:
            for number, hook in [*self._forward_hooks.items()]:
                if number in self._forward_hooks_always_called and number not in done:
                    try:
                        result = self._run_hook(number, hook, args, kwargs, result)
                    except Exception as error:
                        warnings.warn(
                            "module forward hook with ``always_call=True`` raised an exception that was silenced as another error was "
                            f"raised in forward: {error}",
                            stacklevel=3,
                        )
            raise
        return result

    def _run_pre_hook(
        self, number: int, hook: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if number in self._forward_pre_hooks_with_kwargs:
            changed = hook(self, args, kwargs)
            if changed is None:
                return args, kwargs
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}.")
            return changed
        changed = hook(self, args)
        if changed is None:
            return args, kwargs
        return changed if isinstance(changed, tuple) else (changed,), kwargs

    def _run_hook(self, number: int, hook: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
        with_kwargs = number in self._forward_hooks_with_kwargs
        changed = hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
        return result if changed is None else changed

    # Printing.

    def extra_repr(self) -> str:
        """What ``repr`` shows in the parentheses before the modules below; a subclass overrides it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        if len(lines) == 1 and not self._modules:
            return f"{self._get_name()}({lines[0]})"
        lines += [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        return f"{self._get_name()}({bracketed(lines)})"


def indented(text: str) -> str:
    """``text`` with all lines but the first moved right by two; lines of blanks become empty."""
    first, *rest = text.split("\n")
    return "\n".join([first, *("  " + line if line.strip() else "" for line in rest)])


def bracketed(lines: list[str]) -> str:
    """Lines between the parentheses of a ``repr``, each on a line of its own."""
    return "".join(f"\n  {line}" for line in lines) + ("\n" if lines else "")
