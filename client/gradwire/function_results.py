"""What the calls of functions give: the members of the answers, with arrays in place of tensors."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from gradwire_engine.dtypes import Array

Arrays: TypeAlias = dict[str, Array]


class ValueAndGrad(NamedTuple):
    """A scalar and its gradients.

    Attributes:
        value: The value.
        grads: Its gradient by each input.
    """

    value: Array
    grads: Arrays


class Vjp(NamedTuple):
    """Outputs, and a product with the transpose of their Jacobian.

    Attributes:
        outputs: The outputs.
        grads: The gradient by each input.
    """

    outputs: Arrays
    grads: Arrays


class Jvp(NamedTuple):
    """Outputs, and a product with their Jacobian.

    Attributes:
        outputs: The outputs.
        tangents: The derivative of each along the tangents of the inputs.
    """

    outputs: Arrays
    tangents: Arrays


class Jacobian(NamedTuple):
    """Outputs and their Jacobians.

    Attributes:
        outputs: The outputs.
        jacobian: By output, then by input: of the shape of the one followed by that of the other.
    """

    outputs: Arrays
    jacobian: dict[str, Arrays]


class Hessian(NamedTuple):
    """A scalar with its first and second derivatives.

    Attributes:
        value: The value.
        grads: Its gradient by each input.
        hessian: By the one input, then by the other: of the shape of the one followed by that of the other.
    """

    value: Array
    grads: Arrays
    hessian: dict[str, Arrays]


class Hvp(NamedTuple):
    """A scalar with its gradients, and its Hessian times vectors.

    Attributes:
        value: The value.
        grads: Its gradient by each input.
        hvps: The products by input; stacked, where a stack of vectors was given.
    """

    value: Array
    grads: Arrays
    hvps: Arrays


class Minimum(NamedTuple):
    """Where an optimiser came to.

    Attributes:
        inputs: The inputs there.
        value: The value there.
        grads: Its gradient by each input that was varied.
        success: Whether it is a minimum, as far as the optimiser can tell.
        message: Why it stopped.
        iterations: The steps that it took.
        evaluations: How often the function was evaluated.
    """

    inputs: Arrays
    value: Array
    grads: Arrays
    success: bool
    message: str
    iterations: int
    evaluations: int


class Gradcheck(NamedTuple):
    """How the gradients of a function compare with central differences.

    Attributes:
        ok: Whether they agree.
        detail: Where they do not, in torch's words.
    """

    ok: bool
    detail: str | None
