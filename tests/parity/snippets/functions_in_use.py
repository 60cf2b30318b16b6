"""``autograd.Function``: what its results look like, and how it lives with the rest."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def function_repr_of_result(torch):
    class MyOp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = torch.tensor(1.0, requires_grad=True)
    y = MyOp.apply(x)
    print(y, y.requires_grad, y.is_leaf)
    print(y.grad_fn.name(), y.grad_fn.next_functions[0][0].name())
    print(MyOp.apply(torch.tensor(1.0)))
    with torch.no_grad():
        print(MyOp.apply(x))


@snippet
def function_forward_records_nothing(torch):
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * x
            print(y.requires_grad, x.requires_grad, torch.is_grad_enabled())
            return y

        @staticmethod
        def backward(ctx, grad):
            print(grad.requires_grad, torch.is_grad_enabled())
            return grad

    x = torch.tensor(3.0, requires_grad=True)
    y = Square.apply(x)
    y.backward()
    print(y, x.grad)


@snippet
def function_twice_with_retained_graph(torch):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 3 * x**2

    x = torch.tensor(2.0, requires_grad=True)
    y = Cube.apply(x)
    y.backward(retain_graph=True)
    y.backward()
    print(x.grad)
    attempt(y.backward)


@snippet
def function_chain(torch):
    class AddOne(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x + 1

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = torch.tensor(0.0, requires_grad=True)
    y = x
    for _ in range(5):
        y = AddOne.apply(y)
    y.backward()
    print(y, x.grad)


@snippet
def function_with_lists_and_strings(torch):
    class Weighted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weights, mode):
            ctx.weights, ctx.mode = weights, mode
            total = x * sum(weights)
            return total.mean() if mode == "mean" else total.sum()

        @staticmethod
        def backward(ctx, grad):
            scale = sum(ctx.weights)
            print(ctx.mode, ctx.weights, scale)
            return grad * scale * torch.ones(2), None, None

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    Weighted.apply(x, [1, 2, 3], "sum").backward()
    print(x.grad)


@snippet
def function_in_a_module(torch):
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, grad):
            return 2 * grad

    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.tensor([1.0, 3.0]))

        def forward(self, x):
            return Double.apply(self.scale * x)

    layer = Layer()
    layer(torch.tensor([1.0, 10.0])).sum().backward()
    print(layer.scale.grad)


@snippet
def function_gradcheck(torch):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 3 * x**2

    x = torch.tensor([1.0, -0.5], dtype=torch.float64, requires_grad=True)
    print(torch.autograd.gradcheck(Cube.apply, (x,)))


@snippet
def gradcheck_of_operations(torch):
    x = torch.tensor([0.5, -1.5], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([2.0, 3.0], dtype=torch.float64, requires_grad=True)
    print(torch.autograd.gradcheck(lambda a, b: (a * b).sin(), (x, y)), torch.autograd.gradgradcheck(lambda a: a**3, (x,)))
    print(torch.autograd.gradcheck(lambda a: a.detach() * a, (x,), raise_exception=False), x.grad, x)


@snippet
def function_named_by_its_node(torch):
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            print(type(ctx).__name__)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    y = Twice.apply(torch.tensor(1.0, requires_grad=True))
    print(type(y.grad_fn).__name__, y.grad_fn.name(), type(y.sin().grad_fn.next_functions[0][0]).__name__)
