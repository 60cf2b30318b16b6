"""``no_grad``, ``enable_grad`` and ``set_grad_enabled``."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def no_grad_block(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    print(y.requires_grad)
    with torch.no_grad():
        z = x * 2
    print(z.requires_grad, z.grad_fn, z.is_leaf)
    print(z)


@snippet
def no_grad_decorator(torch):
    @torch.no_grad()
    def predict(x):
        return x * 3

    x = torch.tensor(1.0, requires_grad=True)
    print(predict(x), predict.__name__)


@snippet
def no_grad_decorator_without_parentheses(torch):
    @torch.no_grad
    def predict(x):
        """What it predicts."""
        return x * 3

    print(predict(torch.tensor(1.0, requires_grad=True)), predict.__doc__)


@snippet
def no_grad_of_generator(torch):
    @torch.no_grad()
    def results(x):
        for i in range(2):
            yield x * i

    x = torch.tensor(1.0, requires_grad=True)
    for y in results(x):
        print(y.requires_grad, (x * 2).requires_grad)


@snippet
def no_grad_nested_in_enable_grad(torch):
    x = torch.tensor(1.0, requires_grad=True)
    with torch.no_grad():
        print(torch.is_grad_enabled())
        with torch.enable_grad():
            print(torch.is_grad_enabled())
            y = x * 2
        print(torch.is_grad_enabled())
    print(y)


@snippet
def no_grad_left_by_exception(torch):
    try:
        with torch.no_grad():
            raise ValueError("inside")
    except ValueError as error:
        print(error)
    print(torch.is_grad_enabled())


@snippet
def no_grad_update_of_weights(torch):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        w.grad.zero_()
    print(w, w.is_leaf, w.grad)


@snippet
def no_grad_new_leaf_still_requires_grad(torch):
    with torch.no_grad():
        w = torch.ones(2, requires_grad=True)
        y = w * 2
        attempt(y.sum().backward)
    print(w.requires_grad, y.requires_grad)
    (w * 3).sum().backward()
    print(w.grad)


@snippet
def set_grad_enabled_as_block(torch):
    x = torch.tensor(1.0, requires_grad=True)
    for is_train in (True, False):
        with torch.set_grad_enabled(is_train):
            y = x * 2
        print(is_train, y.requires_grad)
    print(torch.is_grad_enabled())


@snippet
def set_grad_enabled_as_call(torch):
    x = torch.tensor(1.0, requires_grad=True)
    torch.set_grad_enabled(False)
    print((x * 2).requires_grad)
    torch.set_grad_enabled(True)
    print((x * 2).requires_grad)


@snippet
def set_grad_enabled_as_decorator(torch):
    @torch.set_grad_enabled(False)
    def f(x):
        return x * 2

    print(f(torch.tensor(1.0, requires_grad=True)), torch.is_grad_enabled())


@snippet
def enable_grad_decorator(torch):
    @torch.enable_grad()
    def f(x):
        return x * 2

    with torch.no_grad():
        print(f(torch.tensor(1.0, requires_grad=True)))


@snippet
def inference_mode_block(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.inference_mode():
        y = x * 2
    print(y.requires_grad, y)


@snippet
def part_of_graph_without_grad(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    with torch.no_grad():
        scale = y.norm()
    z = (y / scale).sum()
    z.backward()
    print(scale)
    print(x.grad)


@snippet
def inplace_on_leaf_under_no_grad_is_seen_by_backward(torch):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (w * w).sum()
    with torch.no_grad():
        w.add_(1)
    attempt(y.backward)
