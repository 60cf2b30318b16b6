"""One call of a traced function: its arguments taken apart, and its answer put together like them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from gradwire_engine.dtypes import Array
from gradwire_engine.errors import TensorTypeError
from gradwire_engine.meta import dense
from gradwire_engine.namespace import get_default_dtype
from gradwire_engine.value import Value

from .function_calls import names
from .specialisation import Specialisation, specialise
from .structure import as_array, leaves, matched, put_together, taken_apart
from .tensor import made

Wrt: TypeAlias = int | str | Sequence[int | str] | None

_OPTIONS: Final = ("batch", "randomness", "seed", "seconds")


class TracedCall:
    """A call.

    Args:
        callable: The Python callable.
        signature: Its signature.
        args: The arguments by position.
        kwargs: The arguments by name, and the options of all calls where the callable has no parameters of these names.
        wrt: The parameters to differentiate by.

    Attributes:
        arrays: The tensors among the arguments, by name.
        options: The options of all calls.
    """

    def __init__(
        self, callable: Callable[..., Any], signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any], wrt: Wrt = None
    ) -> None:
        self._callable = callable
        self.options = {name: kwargs[name] for name in _OPTIONS if name in kwargs and name not in signature.parameters}
        self._bound = signature.bind(*args, **{name: value for name, value in kwargs.items() if name not in self.options})
        self._bound.apply_defaults()
        found: dict[str, Any] = {}
        self._structures = {name: taken_apart(value, name, found) for name, value in self._bound.arguments.items()}
        self._gives_tensors = any(isinstance(value, Value) for value in found.values())
        self.arrays: dict[str, Array] = {name: as_array(value) for name, value in found.items()}
        mapped = names(self.options.pop("batch", None))
        self._batch = [leaf for name in mapped or () for leaf in leaves(self._structures[self._parameter(name)])]
        if mapped is not None:
            self.options["batch"] = self._batch
        self._one, self._wrt = self._differentiated(wrt)

    def specialised(self, known: dict[Any, Specialisation]) -> Specialisation:
        """The program for these arguments: one of those that are known, or a new one, which is known from then on."""
        metas = {name: dense(array.shape[name in self._batch :], array.dtype) for name, array in self.arrays.items()}
        key = (tuple(self._structures.items()), tuple((n, m.shape, m.dtype) for n, m in metas.items()), get_default_dtype())
        found = known.get(key)
        if found is None:
            found = known[key] = specialise(self._callable, self._structures, metas, self._run)
        self._result = found.result
        return found

    def _run(self, values: dict[str, Any]) -> Any:
        bound = inspect.BoundArguments(self._bound.signature, values)
        return self._callable(*bound.args, **bound.kwargs)

    def _parameter(self, name: int | str) -> str:
        """The name of a parameter.

        Raises:
            TensorTypeError: There is none.
        """
        listed = list(self._structures)
        if isinstance(name, str) and name in self._structures:
            return name
        if isinstance(name, int) and -len(listed) <= name < len(listed):
            return listed[name]
        raise TensorTypeError(f"The function has no parameter {name!r}; it has {', '.join(listed) or 'none'}.", code="unknown_input")

    def _differentiated(self, wrt: Wrt) -> tuple[bool, list[str]]:
        """Whether a derivative is by one parameter alone, and the parameters."""
        if wrt is not None:
            one = isinstance(wrt, (int, str))
            return one, [self._parameter(name) for name in ([wrt] if isinstance(wrt, (int, str)) else wrt)]
        found = [name for name, structure in self._structures.items() if any(self._floats(leaf) for leaf in leaves(structure))]
        return len(found) == 1, found

    def _floats(self, leaf: str) -> bool:
        return self.arrays[leaf].dtype.kind in "fc"

    @property
    def wrt(self) -> list[str]:
        """The tensors that are differentiated by."""
        every = [leaf for name in self._wrt for leaf in leaves(self._structures[name])]
        # What cannot be differentiated by is refused where the caller named it, and left alone in a structure.
        return [leaf for leaf in every if leaf in self._structures or self._floats(leaf)]

    def given_for_inputs(self, value: Any) -> dict[str, Any]:
        """What is given for tensors of the arguments, such as vectors, by their names.

        Args:
            value: For one parameter what is structured like it; for several a tuple; or a dict by the names of parameters.
        """
        found: dict[str, Any] = {}
        if isinstance(value, Mapping) and value and value.keys() <= self._structures.keys():
            for name, part in value.items():
                matched(self._structures[name], part, found)
        elif len(self._wrt) == 1:
            matched(self._structures[self._wrt[0]], value, found)
        elif isinstance(value, (tuple, list)) and len(value) == len(self._wrt):
            for name, part in zip(self._wrt, value, strict=True):
                matched(self._structures[name], part, found)
        else:
            raise TensorTypeError(f"Expected one item for each of the parameters {', '.join(self._wrt)}, as a tuple or by name.")
        return {name: array.astype(self.arrays[name].dtype, copy=False) for name, array in found.items()}

    def given_for_outputs(self, value: Any) -> dict[str, Any]:
        """What is given for tensors that the callable returns, structured like that, by the names of outputs."""
        found: dict[str, Any] = {}
        matched(self._result, value, found)
        return found

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs."""
        return list(leaves(self._result))

    # What the answer says, put together.

    def tensor(self, array: Any) -> Any:
        """A tensor of the answer as the caller has it: an array or, where there were tensors among the arguments, a tensor."""
        if array is None:
            return None
        # As NumPy's own functions do, numbers come as numbers.
        return made(np.array(array)) if self._gives_tensors else array[()]

    def by_output(self, found: Mapping[str, Any], part: Callable[[Any], Any] | None = None) -> Any:
        """What is answered by output, structured like what the callable returns."""
        made_of = part or self.tensor
        return put_together(self._result, lambda name: made_of(found[name]) if name in found else None)

    def by_input(self, found: Mapping[str, Any], part: Callable[[Any], Any] | None = None) -> Any:
        """What is answered by input, structured like the arguments that are differentiated by."""
        made_of = part or self.tensor
        parts = [
            put_together(self._structures[name], lambda leaf: made_of(found[leaf]) if leaf in found else None, fixed=False)
            for name in self._wrt
        ]
        return parts[0] if self._one else tuple(parts)

    def by_parameter(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """What is answered by input, for every parameter that has some of it."""
        return {
            name: put_together(structure, lambda leaf: self.tensor(found.get(leaf)), fixed=False)
            for name, structure in self._structures.items()
            if any(leaf in found for leaf in leaves(structure))
        }
