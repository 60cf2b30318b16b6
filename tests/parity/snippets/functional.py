"""``torch.autograd.functional``."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


def _two(torch):
    return torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, -1.0, 2.0])


@snippet
def jacobians(torch):
    jacobian = torch.autograd.functional.jacobian
    x, y = _two(torch)
    print(jacobian(lambda a: a.exp(), x))
    print(jacobian(lambda a, b: 2 * a.exp() + 3 * b, (x, y)))
    print(jacobian(lambda a: (a.sum(), a.outer(a)), x))
    print(jacobian(lambda a, b: (a * b, b), (x, y)))
    print(jacobian(lambda a: a.view(1, 3) * 2, x).shape)
    print(jacobian(lambda a: torch.ones(2), x))
    print(jacobian(torch.tanh, x, vectorize=True))


@snippet
def jacobians_with_a_graph(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    made = torch.autograd.functional.jacobian(lambda a: a**3, x, create_graph=True)
    print(made.requires_grad, made.shape)
    made.sum().backward()
    print(x.grad)


@snippet
def hessians(torch):
    hessian = torch.autograd.functional.hessian
    x, y = _two(torch)
    print(hessian(lambda a: a.pow(3).sum(), x))
    print(hessian(lambda a, b: (a * a * b).sum(), (x, y)))
    print(hessian(lambda a: a.sum(), x))
    print(hessian(lambda a: (a * a).sum().reshape(1, 1), x))


@snippet
def products(torch):
    functional = torch.autograd.functional
    x, y = _two(torch)
    v = torch.tensor([1.0, 0.0, 2.0])
    print(functional.vjp(lambda a: a.exp(), x, v))
    print(functional.vjp(lambda a, b: (a * b).sum(), (x, y)))
    print(functional.jvp(lambda a: a.exp(), x, v))
    print(functional.jvp(lambda a, b: (a * b, a + b), (x, y), (v, v)))
    print(functional.vhp(lambda a: a.pow(3).sum(), x, v))
    print(functional.hvp(lambda a, b: (a * a * b).sum(), (x, y), (v, v)))
    print(functional.jvp(lambda a: a * 2, torch.tensor(3.0)))
    print(functional.vjp(lambda a: a * 2, x, v, create_graph=True)[1].requires_grad)


@snippet
def what_functional_refuses(torch):
    functional = torch.autograd.functional
    x, y = _two(torch)
    attempt(lambda: functional.jacobian(lambda a: 5, x))
    attempt(lambda: functional.jacobian(torch.exp, [x]))
    attempt(lambda: functional.vjp(torch.exp, x))
    attempt(lambda: functional.jvp(torch.exp, x))
    attempt(lambda: functional.vjp(torch.exp, x, torch.ones(2)))
    attempt(lambda: functional.vjp(torch.exp, x, (x, x)))
    attempt(lambda: functional.jvp(torch.mul, (x, y), (x,)))
    attempt(lambda: functional.hessian(torch.exp, x))
    attempt(lambda: functional.hessian(lambda a: (a.sum(), a), x))
    attempt(lambda: functional.hvp(lambda a: a.exp(), x, x))
    attempt(lambda: functional.vjp(lambda a: torch.ones(3), x, x, strict=True))
    attempt(lambda: functional.jacobian(lambda a, b: a * 2, (x, y), strict=True))
    attempt(lambda: functional.jacobian(torch.exp, x, strict=True, vectorize=True))
