"""``backward()``: what lands in ``.grad``, accumulation, retained graphs."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def grad_of_mean_of_squares(torch):
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x + 2
    z = y * y * 3
    out = z.mean()
    print(x.grad)
    out.backward()
    print(out)
    print(x.grad)


@snippet
def grad_of_scalar_product(torch):
    a = torch.tensor([2.0, 3.0], requires_grad=True)
    b = torch.tensor([6.0, 4.0], requires_grad=True)
    q = 3 * a**3 - b**2
    q.backward(gradient=torch.tensor([1.0, 1.0]))
    print(a.grad, b.grad)
    print(9 * a**2 == a.grad)
    print(-2 * b == b.grad)


@snippet
def grad_of_logistic_regression(torch):
    x = torch.ones(5)
    y = torch.zeros(3)
    w = torch.linspace(-1, 1, 15).view(5, 3).requires_grad_()
    b = torch.tensor([0.1, 0.2, 0.3], requires_grad=True)
    z = torch.matmul(x, w) + b
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
    print(loss)
    print("Gradient function for z:", z.grad_fn.name(), "and for loss:", loss.grad_fn.name())
    loss.backward()
    print(w.grad)
    print(b.grad)


@snippet
def grad_accumulates(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for i in range(3):
        (x * x).sum().backward()
        print(i, x.grad)


@snippet
def grad_zeroed_between_calls(torch):
    x = torch.tensor(3.0, requires_grad=True)
    (x**2).backward()
    print(x.grad)
    x.grad.zero_()
    print(x.grad)
    (x**3).backward()
    print(x.grad)
    x.grad = None
    print(x.grad)
    (2 * x).backward()
    print(x.grad)


@snippet
def grad_is_the_same_object_after_accumulation(torch):
    x = torch.tensor([1.0], requires_grad=True)
    (x * 2).backward()
    first = x.grad
    (x * 3).backward()
    print(first is x.grad, first)


@snippet
def grad_assigned_by_hand(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    x.grad = torch.tensor([10.0, 20.0])
    (x * x).sum().backward()
    print(x.grad)
    attempt(lambda: setattr(x, "grad", torch.ones(3)))
    attempt(lambda: setattr(x, "grad", torch.ones(2, dtype=torch.float64)))
    attempt(lambda: setattr(x, "grad", 1.0))


@snippet
def grad_of_intermediate_is_not_kept(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.sum().backward()
    print(x.grad)
    print(y.grad, y.is_leaf)


@snippet
def grad_of_intermediate_retained(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.retain_grad()
    z = (y * y).sum()
    z.backward()
    print(y.grad, y.retains_grad)
    print(x.grad)
    attempt(torch.ones(1).retain_grad)


@snippet
def backward_twice_is_refused(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    attempt(y.backward)
    print(x.grad)


@snippet
def backward_twice_with_retained_graph(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x.exp() * x).sum()
    y.backward(retain_graph=True)
    print(x.grad)
    y.backward(retain_graph=True)
    print(x.grad)
    y.backward()
    print(x.grad)
    attempt(y.backward)


@snippet
def backward_through_shared_part_twice(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    shared = x.exp()
    a, b = shared.sum(), (shared * 2).sum()
    a.backward(retain_graph=True)
    b.backward()
    print(x.grad)


@snippet
def backward_of_vector_needs_gradient(torch):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    attempt(y.backward)
    y.backward(torch.tensor([0.1, 1.0, 0.01]))
    print(x.grad)


@snippet
def backward_doubles_until_norm(torch):
    x = torch.tensor([0.5, -0.25, 1.0], requires_grad=True)
    y = x * 2
    while y.data.norm() < 1000:
        y = y * 2
    print(y)
    y.backward(torch.tensor([0.1, 1.0, 0.0001]))
    print(x.grad)


@snippet
def backward_without_grad_fn(torch):
    x = torch.tensor([1.0, 2.0])
    attempt(x.sum().backward)
    y = torch.tensor(1.0, requires_grad=True)
    y.backward()
    print(y.grad)


@snippet
def backward_with_wrong_gradient(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    attempt(lambda: y.backward(torch.ones(3)))
    attempt(lambda: y.backward("ones"))
    attempt(lambda: y.backward(torch.tensor([1, 1])))
    print(x.grad)


@snippet
def backward_on_chosen_inputs(torch):
    a = torch.tensor(2.0, requires_grad=True)
    b = torch.tensor(3.0, requires_grad=True)
    y = a * b
    y.backward(inputs=[a])
    print(a.grad, b.grad)
    attempt(lambda: (a * b).backward(inputs=[]))


@snippet
def backward_of_several_roots(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y, z = x.sum(), x * x
    torch.autograd.backward([y, z], [None, torch.ones(2)])
    print(x.grad)
    attempt(lambda: torch.autograd.backward([x.sum(), x * x], [None]))


@snippet
def backward_with_python_control_flow(torch):
    def f(x):
        result = x
        i = 0
        while result.sum() < 100 and i < 10:
            result = result * x if i % 2 else result + x
            i += 1
        return result, i

    for start in (1.5, 3.0):
        x = torch.tensor([start, 2.0], requires_grad=True)
        y, steps = f(x)
        y.sum().backward()
        print(steps, y, x.grad)


@snippet
def backward_with_create_graph(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    print(x.grad)
    x.grad.sum().backward()
    print(x.grad)


@snippet
def leaves_and_results(torch):
    a = torch.ones(2, requires_grad=True)
    b = a * 2
    c = torch.ones(2)
    d = c * 2
    e = (a * 2).detach()
    for name, t in (("a", a), ("b", b), ("c", c), ("d", d), ("e", e)):
        print(name, t.requires_grad, t.is_leaf, t.grad_fn is None)


@snippet
def mixture_of_inputs_with_and_without_grad(torch):
    x = torch.rand(2, 2)
    y = torch.rand(2, 2)
    z = torch.ones((2, 2), requires_grad=True)
    a = x + y
    print(f"Does `a` require gradients?: {a.requires_grad}")
    b = x + z
    print(f"Does `b` require gradients?: {b.requires_grad}")
    return a.shape


@snippet
def grad_of_unused_leaf_stays_none(torch):
    x = torch.tensor(1.0, requires_grad=True)
    unused = torch.tensor(1.0, requires_grad=True)
    (x * 2).backward()
    print(x.grad, unused.grad)


@snippet
def grad_at_kinks(torch):
    x = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    (x.abs() + x.relu() + x.clamp(-1, 1)).sum().backward()
    print(x.grad)
    y = torch.tensor([2.0, 2.0, 1.0], requires_grad=True)
    y.max().backward()
    print(y.grad)
    z = torch.tensor(0.0, requires_grad=True)
    z.sqrt().backward()
    print(z.grad)


@snippet
def grad_of_where_keeps_nan(torch):
    x = torch.tensor([-1.0, 4.0], requires_grad=True)
    y = torch.where(x > 0, x.sqrt(), torch.zeros(()))
    print(y)
    y.sum().backward()
    print(x.grad)


@snippet
def grad_of_complex_modulus(torch):
    z = torch.tensor([3 + 4j], requires_grad=True)
    z.abs().sum().backward()
    print(z.grad)
    attempt(lambda: (z * z).backward())
