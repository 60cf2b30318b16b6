"""``autograd.grad`` with all its arguments, and derivatives of higher order."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def grad_call_returns_tuple(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x**2).sum()
    result = torch.autograd.grad(y, x)
    print(result)
    print(x.grad)


@snippet
def grad_call_of_several_inputs(torch):
    a = torch.tensor(2.0, requires_grad=True)
    b = torch.tensor(3.0, requires_grad=True)
    da, db = torch.autograd.grad(a**2 * b, [a, b])
    print(da, db)


@snippet
def grad_call_of_several_outputs(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (g,) = torch.autograd.grad([x.sum(), (x * x).sum()], [x])
    print(g)
    (g,) = torch.autograd.grad([x * 2, x * 3], x, grad_outputs=[torch.ones(2), torch.tensor([1.0, 0.0])])
    print(g)


@snippet
def grad_call_with_grad_outputs(torch):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x**2
    for i in range(3):
        v = torch.zeros(3)
        v[i] = 1
        print(torch.autograd.grad(y, x, grad_outputs=v, retain_graph=True)[0])
    attempt(lambda: torch.autograd.grad(y, x))
    attempt(lambda: torch.autograd.grad(y, x, torch.ones(2)))


@snippet
def grad_call_unused_input(torch):
    x = torch.tensor(1.0, requires_grad=True)
    z = torch.tensor(1.0, requires_grad=True)
    y = x * 2
    attempt(lambda: torch.autograd.grad(y, [x, z]))
    print(torch.autograd.grad(x * 2, [x, z], allow_unused=True))
    print(torch.autograd.grad(x * 2, [x, z], materialize_grads=True))
    attempt(lambda: torch.autograd.grad(x * 2, [x, z], allow_unused=False, materialize_grads=True))


@snippet
def grad_call_input_without_grad(torch):
    x = torch.tensor(1.0, requires_grad=True)
    c = torch.tensor(1.0)
    attempt(lambda: torch.autograd.grad(x * c, c))
    attempt(lambda: torch.autograd.grad(c * 2, x))
    attempt(lambda: torch.autograd.grad(x * 2, []))
    attempt(lambda: torch.autograd.grad(x * 2, [1.0]))


@snippet
def grad_call_twice(torch):
    x = torch.tensor(2.0, requires_grad=True)
    y = x**2
    torch.autograd.grad(y, x)
    attempt(lambda: torch.autograd.grad(y, x))
    y = x**2
    print(torch.autograd.grad(y, x, retain_graph=True), torch.autograd.grad(y, x))


@snippet
def grad_call_of_intermediate(torch):
    x = torch.tensor(1.0, requires_grad=True)
    y = x.exp()
    z = y**2
    print(torch.autograd.grad(z, y, retain_graph=True))
    print(torch.autograd.grad(z, [x, y]))


@snippet
def grad_call_second_derivative(torch):
    x = torch.tensor(2.0, requires_grad=True)
    y = x**3
    (dy,) = torch.autograd.grad(y, x, create_graph=True)
    print(dy)
    (d2y,) = torch.autograd.grad(dy, x, create_graph=True)
    print(d2y)
    (d3y,) = torch.autograd.grad(d2y, x)
    print(d3y, d3y.requires_grad)


@snippet
def grad_call_of_all_orders_of_sine(torch):
    x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    y = x.sin()
    for order in range(1, 6):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        print(order, f"{y.item():.6f}", y.grad_fn.name())


@snippet
def grad_call_vanishing_second_derivative(torch):
    x = torch.tensor(2.0, requires_grad=True)
    (dy,) = torch.autograd.grad(3 * x, x, create_graph=True)
    print(dy, dy.requires_grad)
    attempt(lambda: torch.autograd.grad(dy, x))


@snippet
def hessian_row_by_row(torch):
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    y = x[0] ** 2 * x[1] + x[1] ** 3
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    rows = [torch.autograd.grad(g[i], x, retain_graph=True)[0] for i in range(2)]
    print(g)
    print(torch.stack(rows))


@snippet
def hessian_vector_product(torch):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    v = torch.tensor([1.0, 0.0, -1.0])
    y = (x**3).sum() + x[0] * x[1] * x[2]
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    (hv,) = torch.autograd.grad(g, x, grad_outputs=v)
    print(hv)


@snippet
def jacobian_vector_product_by_double_backward(torch):
    x = torch.tensor([0.5, 1.0], dtype=torch.float64, requires_grad=True)
    y = torch.stack([x[0] * x[1], x[0].sin(), x[1] ** 2])
    u = torch.ones(3, dtype=torch.float64, requires_grad=True)
    (vjp,) = torch.autograd.grad(y, x, u, create_graph=True)
    (jvp,) = torch.autograd.grad(vjp, u, torch.tensor([1.0, 2.0], dtype=torch.float64))
    print(jvp)


@snippet
def jacobian_with_batched_grad_outputs(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.stack([x[0] * x[1], x[0] ** 2])
    rows = [torch.autograd.grad(y, x, v, retain_graph=True)[0] for v in torch.eye(2)]
    print(torch.stack(rows))


@snippet
def gradient_penalty(torch):
    w = torch.tensor([1.0, -2.0], requires_grad=True)
    x = torch.tensor([[0.5, 1.0], [2.0, -1.0]], requires_grad=True)
    out = torch.tanh(x @ w).sum()
    (gx,) = torch.autograd.grad(out, x, create_graph=True)
    penalty = ((gx.norm(dim=1) - 1) ** 2).mean()
    print(penalty)
    penalty.backward()
    print(w.grad)


@snippet
def newton_iteration(torch):
    x = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    for step in range(5):
        y = x**4 - 3 * x**2 + x
        (g,) = torch.autograd.grad(y, x, create_graph=True)
        (h,) = torch.autograd.grad(g, x)
        with torch.no_grad():
            x -= g / h
        print(step, f"{x.item():.8f}")


@snippet
def taylor_coefficients(torch):
    x = torch.zeros((), dtype=torch.float64, requires_grad=True)
    y = (2 * x).exp()
    factorial = 1
    for n in range(1, 5):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        factorial *= n
        print(n, y.item() / factorial)


@snippet
def meta_learning_step(torch):
    w = torch.tensor([1.0, 1.0], requires_grad=True)
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    inner = ((x @ w - 1) ** 2).mean()
    (g,) = torch.autograd.grad(inner, w, create_graph=True)
    adapted = w - 0.01 * g
    outer = ((x @ adapted - 2) ** 2).mean()
    outer.backward()
    print(adapted)
    print(outer)
    print(w.grad)
