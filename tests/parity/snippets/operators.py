"""Arithmetic, comparison, broadcasting and type promotion."""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np

from .base import attempt, snippet


@snippet
def arithmetic_of_vectors(torch):
    a = torch.tensor([1.0, 2.0, 3.0])
    b = torch.tensor([4.0, 5.0, 6.0])
    print(a + b, a - b, a * b, a / b, a**b)
    print(b // a, b % a, -a, abs(-a), +a)
    return torch.add(a, b, alpha=2), torch.sub(a, b), torch.mul(a, 3), torch.div(b, a, rounding_mode="floor")


@snippet
def arithmetic_with_numbers(torch):
    x = torch.tensor([1, 2, 3])
    print(x + 1, x * 2.5, 10 - x, 1 / x, x / 2, x // 2, 7 % x, 2**x, x**2, x**-1.0)


@snippet
def arithmetic_of_integers_divides_to_floats(torch):
    x = torch.tensor([7, -7])
    print(x / 2, x // 2, x % 3, torch.div(x, 2, rounding_mode="trunc"), torch.remainder(x, 3), torch.fmod(x, 3))
    attempt(lambda: torch.tensor([2]) ** -1)


@snippet
def comparison(torch):
    x = torch.tensor([1.0, 2.0, 3.0])
    print(x > 1, x >= 2, x < 3, x <= 1, x == 2, x != 2)
    print((x > 1) & (x < 3), (x > 2) | (x < 2), ~(x > 1), (x > 1) ^ (x > 2))
    print((x > 1).any(), (x > 0).all(), (x > 1).sum(), torch.eq(x, x), x.equal(x.clone()))


@snippet
def comparison_has_no_gradient(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    mask = x > 1
    print(mask, mask.requires_grad, mask.grad_fn)
    attempt(lambda: mask.sum().backward())
    y = (x * mask).sum()
    y.backward()
    return x.grad


@snippet
def broadcasting_row_and_column(torch):
    column = torch.tensor([[0], [10], [20]])
    row = torch.tensor([1, 2, 3])
    print(column + row)
    print((column * row).shape)
    print(torch.ones(2, 1, 3) + torch.zeros(4, 1))
    print(torch.broadcast_shapes((3, 1), (1, 4)), [t.shape for t in torch.broadcast_tensors(column, row)])


@snippet
def broadcasting_gradient_is_summed(torch):
    w = torch.ones(3, requires_grad=True)
    b = torch.tensor(1.0, requires_grad=True)
    x = torch.arange(6.0).view(2, 3)
    y = x * w + b
    y.sum().backward()
    print(w.grad)
    print(b.grad)
    return w.grad, b.grad


@snippet
def broadcasting_refused(torch):
    attempt(lambda: torch.ones(2, 3) + torch.ones(2))
    attempt(lambda: torch.ones(3) * torch.ones(4))
    attempt(lambda: torch.ones(2, 3).add_(torch.ones(4, 2, 3)))


@snippet
def promotion_of_dtypes(torch):
    i = torch.tensor([1, 2])
    f = torch.tensor([0.5, 0.5])
    d = torch.tensor([0.5, 0.5], dtype=torch.float64)
    print((i + f).dtype, (f + d).dtype, (i + 1.0).dtype, (i + True).dtype, (f + 1j).dtype)
    print((f + torch.tensor(1.0, dtype=torch.float64)).dtype, (i + torch.tensor(1.5)).dtype)
    print(torch.result_type(i, 1.0), torch.promote_types(torch.int32, torch.float16))


@snippet
def promotion_in_gradients(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    d = torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)
    y = (x * d).sum()
    print(y)
    y.backward()
    print(x.grad, d.grad)


@snippet
def matrix_products(torch):
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    v = torch.tensor([1.0, -1.0])
    print(a @ a)
    print(a @ v, v @ a, v @ v)
    print(torch.mm(a, a.t()), torch.mv(a, v), torch.dot(v, v), torch.matmul(a, v))
    print(torch.outer(v, v), torch.bmm(a.view(1, 2, 2), a.view(1, 2, 2)))
    print(torch.einsum("ij,j->i", a, v), torch.trace(a))


@snippet
def matrix_product_gradients(torch):
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    b = torch.tensor([[5.0, 6.0], [7.0, 8.0]], requires_grad=True)
    (a @ b).sum().backward()
    print(a.grad)
    print(b.grad)


@snippet
def reductions(torch):
    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    print(x.sum(), x.mean(), x.max(), x.min(), x.prod(), x.std(), x.var(unbiased=False))
    print(x.sum(0), x.sum(dim=1, keepdim=True), x.mean((0, 1)), x.argmax(), x.argmax(1), x.norm())
    print(x.cumsum(1), x.logsumexp(1), torch.amax(x, 0), x.median())
    print(torch.tensor([1, 2]).sum(), torch.tensor([True, True]).sum())


@snippet
def elementwise_functions(torch):
    x = torch.tensor([0.0, 0.5, 1.0])
    for f in (torch.sin, torch.cos, torch.exp, torch.tanh, torch.sigmoid, torch.sqrt, torch.square, torch.relu, torch.floor, torch.round):
        print(f.__name__, f(x))
    print(torch.clamp(x, 0.25, 0.75), x.clamp(min=0.5), torch.where(x > 0.25, x, -x), torch.maximum(x, 1 - x))


@snippet
def elementwise_gradients(torch):
    for name in ("sin", "cos", "exp", "tanh", "sigmoid", "sqrt", "square", "log", "reciprocal", "abs", "relu", "atan"):
        x = torch.tensor([0.5, 2.0], requires_grad=True)
        y = getattr(torch, name)(x)
        y.sum().backward()
        print(name, y.grad_fn.name(), x.grad)


@snippet
def operators_with_numpy_operands(torch):
    x = torch.tensor([1.0, 2.0])
    print(x + np.float32(1), x * np.int64(3), x + torch.from_numpy(np.array([1.0, 2.0])))
    print(x.numpy() + 1, np.add(x.numpy(), x.numpy()))
    return (x * np.float64(0.5)).dtype


@snippet
def rational_function_of_one_variable(torch):
    x = torch.tensor(2.0, requires_grad=True)
    y = (x**3 - 4 * x + 1) / (x**2 + 1)
    print(y)
    y.backward()
    print(x.grad)
    return y, x.grad


@snippet
def linear_algebra(torch):
    a = torch.tensor([[4.0, 2.0], [2.0, 3.0]], dtype=torch.float64, requires_grad=True)
    print(torch.det(a), torch.linalg.inv(a))
    print(torch.linalg.solve(a, torch.tensor([1.0, 2.0], dtype=torch.float64)))
    torch.logdet(a).backward()
    print(a.grad)
    print(torch.linalg.norm(a.detach()), torch.linalg.matrix_norm(a.detach(), 1))
    attempt(lambda: torch.linalg.inv(torch.zeros(2, 2)))


@snippet
def arithmetic_of_numbers_alone(torch):
    print(torch.add(1, 2), torch.mul(1.5, 2), torch.sub(True, 3), torch.div(1, 2), torch.floor_divide(7, 2), torch.add(1, 2, alpha=3))
    print(torch.add(1, 2.5).dtype, torch.add(1, 2j), torch.div(7, 2, rounding_mode="floor"), torch.multiply(3, 2), torch.true_divide(3, 4))
    attempt(lambda: torch.maximum(1, 2))
    attempt(lambda: torch.add(1, "a"))
