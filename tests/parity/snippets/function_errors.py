"""``autograd.Function``: what goes wrong."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, simple_function, snippet


@snippet
def error_inside_backward(torch):
    def backward(ctx, grad):
        raise RuntimeError("Some error in backward")

    Simple = simple_function(torch, lambda ctx, x: x.clone(), backward)
    a = torch.tensor([1.0], requires_grad=True)
    b = Simple.apply(a * 2)
    attempt(b.sum().backward)
    print(a.grad)
    (a * 2).sum().backward()
    print(a.grad)


@snippet
def error_of_users_own_class_inside_backward(torch):
    class TooLarge(Exception):
        pass

    def backward(ctx, grad):
        raise TooLarge("too large", 3)

    Simple = simple_function(torch, lambda ctx, x: x.clone(), backward)
    y = Simple.apply(torch.tensor(1.0, requires_grad=True))
    try:
        y.backward()
    except TooLarge as error:
        print(type(error).__name__, error.args)


@snippet
def error_of_wrong_number_of_gradients(torch):
    x = torch.tensor(1.0, requires_grad=True)
    Simple = simple_function(torch, lambda ctx, x, n: x * n, lambda ctx, g: g)
    attempt(Simple.apply(x, 2).backward)
    Simple = simple_function(torch, lambda ctx, x: x * 2, lambda ctx, g: (g, g))
    attempt(Simple.apply(x).backward)


@snippet
def extra_none_gradients_are_allowed(torch):
    x = torch.tensor(1.0, requires_grad=True)
    Simple = simple_function(torch, lambda ctx, x: x * 2, lambda ctx, g: (g, None, None))
    Simple.apply(x).backward()
    print(x.grad)


@snippet
def error_of_wrong_shape_from_backward(torch):
    Simple = simple_function(torch, lambda ctx, x: x * 2, lambda ctx, g: torch.ones(3))
    attempt(Simple.apply(torch.tensor([1.0, 2.0], requires_grad=True)).sum().backward)


@snippet
def error_of_wrong_kind_from_backward(torch):
    Simple = simple_function(torch, lambda ctx, x: x * 2, lambda ctx, g: 2.0)
    attempt(Simple.apply(torch.tensor([1.0, 2.0], requires_grad=True)).sum().backward)


@snippet
def backward_result_is_broadcast_and_cast(torch):
    Simple = simple_function(torch, lambda ctx, x: x * 2, lambda ctx, g: g.double().expand(3, 2))
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    attempt(Simple.apply(x).sum().backward)
    print(x.grad)


@snippet
def error_without_backward(torch):
    class Forward(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    y = Forward.apply(torch.tensor(1.0, requires_grad=True))
    attempt(y.backward)


@snippet
def error_without_forward(torch):
    class Nothing(torch.autograd.Function):
        pass

    attempt(lambda: Nothing.apply(torch.tensor(1.0, requires_grad=True)))
    attempt(lambda: Nothing()(torch.tensor(1.0)))


@snippet
def error_of_forward_reaches_the_caller(torch):
    Simple = simple_function(torch, lambda ctx, x: x.view(7), lambda ctx, g: g)
    attempt(lambda: Simple.apply(torch.ones(2, requires_grad=True)))


@snippet
def error_of_saving_what_is_no_tensor(torch):
    def forward(ctx, x):
        ctx.save_for_backward(x, 3.0)
        return x * 2

    Simple = simple_function(torch, forward, lambda ctx, g: g)
    attempt(lambda: Simple.apply(torch.tensor(1.0, requires_grad=True)))


@snippet
def saved_tensors_changed_in_place(torch):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad

    Simple = simple_function(torch, forward, backward)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    z = Simple.apply(y)
    y.add_(1)
    attempt(z.sum().backward)
