"""``autograd.Function`` in ordinary Python: the common ways of writing one."""
# mypy: ignore-errors

from __future__ import annotations

from .base import snippet


@snippet
def function_exp_saves_result(torch):
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, i):
            result = i.exp()
            ctx.save_for_backward(result)
            return result

        @staticmethod
        def backward(ctx, grad_output):
            (result,) = ctx.saved_tensors
            return grad_output * result

    x = torch.tensor([0.0, 1.0], requires_grad=True)
    y = Exp.apply(x)
    print(y)
    y.sum().backward()
    print(x.grad)


@snippet
def function_relu_in_a_network(torch):
    class MyReLU(torch.autograd.Function):
        @staticmethod
        def forward(ctx, input):
            ctx.save_for_backward(input)
            return input.clamp(min=0)

        @staticmethod
        def backward(ctx, grad_output):
            (input,) = ctx.saved_tensors
            grad_input = grad_output.clone()
            grad_input[input < 0] = 0
            return grad_input

    x = torch.tensor([[1.0, -2.0], [3.0, -4.0]])
    w1 = torch.tensor([[0.5, -1.0], [-0.25, 0.5]], requires_grad=True)
    w2 = torch.tensor([[1.0], [2.0]], requires_grad=True)
    relu = MyReLU.apply
    for t in range(3):
        loss = (relu(x.mm(w1)).mm(w2) - 1).pow(2).sum()
        print(t, f"{loss.item():.4f}")
        loss.backward()
        with torch.no_grad():
            w1 -= 0.01 * w1.grad
            w2 -= 0.01 * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()
    print(w1, w2)


@snippet
def function_legendre_polynomial(torch):
    class LegendrePolynomial3(torch.autograd.Function):
        @staticmethod
        def forward(ctx, input):
            ctx.save_for_backward(input)
            return 0.5 * (5 * input**3 - 3 * input)

        @staticmethod
        def backward(ctx, grad_output):
            (input,) = ctx.saved_tensors
            return grad_output * 1.5 * (5 * input**2 - 1)

    p3 = LegendrePolynomial3.apply
    x = torch.linspace(-1, 1, 5)
    a = torch.tensor(0.3, requires_grad=True)
    y = p3(a * x)
    print(y)
    y.pow(2).sum().backward()
    print(a.grad)


@snippet
def function_with_number_arguments(torch):
    class MulConstant(torch.autograd.Function):
        @staticmethod
        def forward(ctx, tensor, constant):
            ctx.constant = constant
            return tensor * constant

        @staticmethod
        def backward(ctx, grad_output):
            return grad_output * ctx.constant, None

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    MulConstant.apply(x, 5).sum().backward()
    print(x.grad)


@snippet
def function_linear_with_needs_input_grad(torch):
    class Linear(torch.autograd.Function):
        @staticmethod
        def forward(ctx, input, weight, bias=None):
            ctx.save_for_backward(input, weight, bias)
            output = input.mm(weight.t())
            if bias is not None:
                output += bias.unsqueeze(0).expand_as(output)
            return output

        @staticmethod
        def backward(ctx, grad_output):
            input, weight, bias = ctx.saved_tensors
            grad_input = grad_weight = grad_bias = None
            print(ctx.needs_input_grad)
            if ctx.needs_input_grad[0]:
                grad_input = grad_output.mm(weight)
            if ctx.needs_input_grad[1]:
                grad_weight = grad_output.t().mm(input)
            if bias is not None and ctx.needs_input_grad[2]:
                grad_bias = grad_output.sum(0)
            return grad_input, grad_weight, grad_bias

    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    w = torch.tensor([[1.0, -1.0]], requires_grad=True)
    b = torch.tensor([0.5], requires_grad=True)
    y = Linear.apply(x, w, b)
    print(y)
    y.sum().backward()
    print(w.grad, b.grad)
    w.grad = None
    Linear.apply(x, w).sum().backward()
    print(w.grad)


@snippet
def function_of_two_inputs(torch):
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, grad):
            a, b = ctx.saved_tensors
            return grad * b, grad * a

    a = torch.tensor(2.0, requires_grad=True)
    b = torch.tensor(3.0, requires_grad=True)
    y = Product.apply(a, b)
    print(y)
    print(torch.autograd.grad(y, [a, b]))


@snippet
def function_of_two_outputs(torch):
    class SinCos(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            s, c = x.sin(), x.cos()
            ctx.save_for_backward(s, c)
            return s, c

        @staticmethod
        def backward(ctx, grad_s, grad_c):
            s, c = ctx.saved_tensors
            print("arrived", grad_s, grad_c)
            return grad_s * c - grad_c * s

    x = torch.tensor([0.0, 0.5], requires_grad=True)
    s, c = SinCos.apply(x)
    print(s, c)
    (s * 2 + c).sum().backward()
    print(x.grad)
    x.grad = None
    s, c = SinCos.apply(x)
    s.sum().backward()
    print(x.grad)


@snippet
def function_passes_none_gradients(torch):
    class First(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, grad):
            return grad, None

    a = torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(2.0, requires_grad=True)
    First.apply(a, b).backward()
    print(a.grad, b.grad)


@snippet
def function_prints_inside_backward(torch):
    class Spy(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, name):
            print("forward", name, x)
            ctx.name = name
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            print("backward", ctx.name, grad, grad.shape)
            return grad, None

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Spy.apply(x, "first")
    z = Spy.apply(y * 2, "second")
    z.sum().backward()
    print(x.grad)


@snippet
def function_with_control_flow_in_backward(torch):
    class Clip(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, limit):
            ctx.limit = limit
            return x.view_as(x)

        @staticmethod
        def backward(ctx, grad):
            norm = grad.norm()
            if norm > ctx.limit:
                print(f"clipped from {norm:.2f}")
                grad = grad * (ctx.limit / norm)
            else:
                print("kept")
            return grad, None

    for scale in (0.1, 10.0):
        x = torch.tensor([3.0, 4.0], requires_grad=True)
        (Clip.apply(x, 1.0) * x.detach() * scale).sum().backward()
        print(x.grad)


@snippet
def function_that_reverses_gradients(torch):
    class Reverse(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.factor = factor
            return x.view_as(x)

        @staticmethod
        def backward(ctx, grad):
            return grad.neg() * ctx.factor, None

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = Reverse.apply(x * 3, 0.5)
    print(y)
    y.sum().backward()
    print(x.grad)


@snippet
def function_straight_through_estimator(torch):
    class Sign(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.sign(x)

        @staticmethod
        def backward(ctx, grad):
            return torch.nn.functional.hardtanh(grad)

    x = torch.tensor([-0.3, 0.7], requires_grad=True)
    y = Sign.apply(x)
    print(y)
    (y * torch.tensor([5.0, 0.5])).sum().backward()
    print(x.grad)
