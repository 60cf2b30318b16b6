"""Derivatives of derivatives."""

from __future__ import annotations

import warnings
from typing import Any

from .base import case, fails, leaf, names


@case
def first_to_third_order_of_a_cube(t: Any) -> Any:
    x = leaf(t)
    y = (x * x * x).sum()
    results = []
    for _ in range(3):
        (y,) = t.autograd.grad(y.sum(), x, create_graph=True)
        results.append(y)
    return results


@case
def first_to_third_order_of_exp_sin(t: Any) -> Any:
    x = t.tensor([0.3, 0.7], dtype=t.float64, requires_grad=True)
    y = (x.sin() * x.exp()).sum()
    results = []
    for _ in range(3):
        (y,) = t.autograd.grad(y.sum(), x, create_graph=True)
        results.append(y)
    return results


@case
def gradients_record_under_create_graph(t: Any) -> Any:
    x = leaf(t)
    (g,) = t.autograd.grad((x * x).sum(), x, create_graph=True)
    return g.requires_grad, g.is_leaf, g.grad_fn is not None


@case
def gradients_of_a_linear_function_under_create_graph(t: Any) -> Any:
    x = leaf(t)
    (g,) = t.autograd.grad((x * 2).sum(), x, create_graph=True)
    return g, g.requires_grad


@case
def backward_with_create_graph(t: Any) -> Any:
    x = leaf(t)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (x * x * x).sum().backward(create_graph=True)
    g = x.grad
    x.grad = None
    g.sum().backward()
    return g.requires_grad, x.grad


@case
def accumulating_recorded_gradients(t: Any) -> Any:
    x = leaf(t)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (x * x).sum().backward(create_graph=True)
        (x * x * x).sum().backward(create_graph=True)
    g = x.grad
    (h,) = t.autograd.grad(g.sum(), x)
    return g.detach(), h


@case
def create_graph_retains_the_graph(t: Any) -> Any:
    x = leaf(t)
    z = (x * x).sum()
    t.autograd.grad(z, x, create_graph=True)
    return t.autograd.grad(z, x), fails(lambda: t.autograd.grad(z, x))


@case
def create_graph_without_retaining(t: Any) -> Any:
    x = leaf(t)
    z = (x * x * x).sum()
    (g,) = t.autograd.grad(z, x, create_graph=True, retain_graph=False)
    return fails(lambda: t.autograd.grad(z, x)), fails(lambda: t.autograd.grad(g.sum(), x))


@case
def gradient_penalty(t: Any) -> Any:
    x, w = leaf(t), leaf(t, 0.5, -0.5, 1.0)
    y = ((x * w).tanh()).sum()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    (y + (g * g).sum()).backward()
    return x.grad, w.grad


@case
def derivative_by_the_cotangent(t: Any) -> Any:
    x, v = leaf(t), leaf(t, 1.0, 10.0, 100.0)
    (g,) = t.autograd.grad(x.exp(), x, v, create_graph=True)
    return t.autograd.grad(g.sum(), [x, v])


@case
def hessian_vector_product(t: Any) -> Any:
    x = leaf(t)
    v = t.tensor([1.0, 0.0, 2.0])
    (g,) = t.autograd.grad((x * x * x).sum() + x.prod(), x, create_graph=True)
    return t.autograd.grad(g, x, v)


@case
def mixed_second_derivative(t: Any) -> Any:
    x, y = leaf(t, 2.0), leaf(t, 3.0)
    (gx,) = t.autograd.grad((x * x * y * y * y).sum(), x, create_graph=True)
    return t.autograd.grad(gx, [x, y])


@case
def second_order_of_complex(t: Any) -> Any:
    z = t.tensor([1 + 2j, 2 - 1j], requires_grad=True)
    (g,) = t.autograd.grad((z * z * z).abs().sum(), z, create_graph=True)
    return g.detach(), t.autograd.grad(g.abs().sum(), z)


@case
def second_order_through_views(t: Any) -> Any:
    x = leaf(t, 1.0, 2.0, 3.0, 4.0)
    y = x.view(2, 2).t()[1] * x[:2]
    (g,) = t.autograd.grad((y * y).sum(), x, create_graph=True)
    return g.detach(), t.autograd.grad((g * g).sum(), x)


@case
def second_order_with_broadcast_and_promotion(t: Any) -> Any:
    x, y = leaf(t), t.tensor([[2.0], [3.0]], dtype=t.float64, requires_grad=True)
    (gx, gy) = t.autograd.grad((x * y * y * x).sum(), [x, y], create_graph=True)
    return gx.detach(), gy.detach(), t.autograd.grad(gx.sum() + gy.sum(), [x, y])


@case
def second_order_of_unused(t: Any) -> Any:
    x, y = leaf(t), leaf(t)
    (g,) = t.autograd.grad((x * x).sum(), x, create_graph=True)
    return t.autograd.grad(g.sum(), [x, y], allow_unused=True)


@case
def create_graph_under_no_grad(t: Any) -> Any:
    x = leaf(t)
    z = (x * x * x).sum()
    with t.no_grad():
        (g,) = t.autograd.grad(z, x, create_graph=True)
    return g.requires_grad, t.autograd.grad(g.sum(), x)


@case
def names_of_a_recorded_gradient(t: Any) -> Any:
    x = leaf(t)
    (g,) = t.autograd.grad(x.sin().sum(), x, create_graph=True)
    return names(g.grad_fn)[0]
