"""``autograd.Function``: double backward, marks, ``setup_context``, what is saved and kept."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, simple_function, snippet


@snippet
def double_backward_through_function(torch):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            print("graph of the gradient:", torch.is_grad_enabled())
            return grad * 3 * x**2

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Cube.apply(x).sum()
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    print(g)
    (h,) = torch.autograd.grad(g.sum(), x)
    print(h)


@snippet
def double_backward_through_saved_result(torch):
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, grad):
            (y,) = ctx.saved_tensors
            return grad * y

    x = torch.tensor(1.0, requires_grad=True)
    y = Exp.apply(x)
    for _ in range(3):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        print(y)


@snippet
def double_backward_by_another_function(torch):
    class SineBackward(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, grad):
            ctx.save_for_backward(x, grad)
            return grad * x.cos()

        @staticmethod
        def backward(ctx, gg):
            x, grad = ctx.saved_tensors
            print("second")
            return -gg * grad * x.sin(), gg * x.cos()

    class Sine(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            print("first")
            return SineBackward.apply(x, grad)

    x = torch.tensor(0.5, requires_grad=True)
    (g,) = torch.autograd.grad(Sine.apply(x), x, create_graph=True)
    print(g)
    print(torch.autograd.grad(g, x))


@snippet
def once_differentiable_function(torch):
    from importlib import import_module

    once = import_module(f"{torch.__name__}.autograd.function").once_differentiable

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 2 * x * grad

    x = torch.tensor(3.0, requires_grad=True)
    (g,) = torch.autograd.grad(Square.apply(x), x, create_graph=True)
    print(g.item())
    attempt(g.backward)


@snippet
def nested_backward_inside_backward(torch):
    class Reentrant(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                ctx.x = x.detach().requires_grad_()
                ctx.y = (ctx.x**2).sum()
            return ctx.y.detach()

        @staticmethod
        def backward(ctx, grad):
            with torch.enable_grad():
                ctx.y.backward()
            print("inner gradient", ctx.x.grad)
            return ctx.x.grad * grad

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Reentrant.apply(x)
    (y * 10).backward()
    print(x.grad)


@snippet
def checkpoint_by_recomputation(torch):
    class Checkpoint(torch.autograd.Function):
        @staticmethod
        def forward(ctx, run, x):
            ctx.run = run
            ctx.save_for_backward(x)
            with torch.no_grad():
                return run(x)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            x = x.detach().requires_grad_()
            with torch.enable_grad():
                y = ctx.run(x)
            return None, torch.autograd.grad(y, x, grad)[0]

    def run(x):
        print("run", torch.is_grad_enabled())
        return (x.sin() * x).exp()

    x = torch.tensor([0.5, 1.0], requires_grad=True)
    Checkpoint.apply(run, x).sum().backward()
    print(x.grad)


@snippet
def setup_context_style(torch):
    class Power(torch.autograd.Function):
        @staticmethod
        def forward(x, n):
            return x**n

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, n = inputs
            print("setup", x, n, output)
            ctx.save_for_backward(x)
            ctx.n = n

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * ctx.n * x ** (ctx.n - 1), None

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Power.apply(x, 3)
    print(y.grad_fn.name())
    y.sum().backward()
    print(x.grad)


@snippet
def non_differentiable_output(torch):
    class Sort(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            values, indices = x.sort()
            ctx.mark_non_differentiable(indices)
            ctx.save_for_backward(indices)
            return values, indices

        @staticmethod
        def backward(ctx, grad_values, grad_indices):
            (indices,) = ctx.saved_tensors
            print(grad_indices)
            return torch.zeros(3).index_add(0, indices, grad_values)

    x = torch.tensor([3.0, 1.0, 2.0], requires_grad=True)
    values, indices = Sort.apply(x)
    print(values, indices, indices.requires_grad)
    (values * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    print(x.grad)


@snippet
def non_differentiable_float_output(torch):
    class Both(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            a, b = x + 1, x + 2
            ctx.mark_non_differentiable(b)
            return a, b

        @staticmethod
        def backward(ctx, ga, gb):
            print(ga, gb)
            return ga

    x = torch.tensor(1.0, requires_grad=True)
    a, b = Both.apply(x)
    print(a, b)
    (a + b).backward()
    print(x.grad)


@snippet
def dirty_input(torch):
    class AddTen(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x += 10
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad

    a = torch.tensor([1.0, 2.0], requires_grad=True)
    b = a * 2
    c = AddTen.apply(b)
    print(b is c, b)
    c.sum().backward()
    print(a.grad)
    attempt(lambda: AddTen.apply(a))


@snippet
def gradients_that_are_not_materialised(torch):
    class Split(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            print(a, b)
            if a is None:
                return b * 3
            return a * 2 if b is None else a * 2 + b * 3

    x = torch.tensor(1.0, requires_grad=True)
    Split.apply(x)[0].backward()
    Split.apply(x)[1].backward()
    a, b = Split.apply(x)
    (a + b).backward()
    print(x.grad)


@snippet
def forward_that_returns_its_input(torch):
    Simple = simple_function(torch, lambda ctx, x: x, lambda ctx, g: g * 3)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Simple.apply(x)
    print(y is x, y)
    y.sum().backward()
    print(x.grad)


@snippet
def forward_that_returns_other_things(torch):
    Simple = simple_function(torch, lambda ctx, x: (x * 2, "label", 7), lambda ctx, g, *rest: g * 2)
    x = torch.tensor(1.0, requires_grad=True)
    result = Simple.apply(x)
    print(result)
    result[0].backward()
    print(x.grad)


@snippet
def attributes_that_a_function_keeps(torch):
    def forward(ctx, x):
        ctx.history = [1, {"shape": x.shape}]
        ctx.mask = x > 1
        return x * ctx.mask

    def backward(ctx, g):
        print(ctx.history, ctx.mask)
        return g * ctx.mask

    Simple = simple_function(torch, forward, backward)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Simple.apply(x)
    print(y.grad_fn.history)
    y.sum().backward()
    print(x.grad)


@snippet
def saved_tensors_of_grad_fn(torch):
    def forward(ctx, x):
        ctx.save_for_backward(x, None)
        return x * 2

    Simple = simple_function(torch, forward, lambda ctx, g: g)
    y = Simple.apply(torch.tensor(1.0, requires_grad=True))
    print(y.grad_fn.saved_tensors, y.grad_fn.needs_input_grad)
    y.backward()
    attempt(lambda: y.grad_fn.saved_tensors)


@snippet
def hooks_and_functions_together(torch):
    Simple = simple_function(torch, lambda ctx, x: x * 2, lambda ctx, g: print("backward", g) or g * 2)
    x = torch.tensor(1.0, requires_grad=True)
    y = Simple.apply(x)
    y.register_hook(lambda g: print("hook of y", g) or g * 10)
    x.register_hook(lambda g: print("hook of x", g))
    (y * 3).backward()
    print(x.grad)


@snippet
def gradient_of_numpy_computation(torch):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.from_numpy(x.detach().numpy() ** 2)

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return torch.tensor(2 * x.detach().numpy() * g.numpy())

    Simple = simple_function(torch, forward, backward)
    x = torch.tensor([1.0, 3.0], requires_grad=True)
    y = Simple.apply(x)
    print(y)
    y.sum().backward()
    print(x.grad)
