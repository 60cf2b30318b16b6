"""Operations in place, and the errors that keep gradients right."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def inplace_methods(torch):
    x = torch.tensor([1.0, 2.0, 3.0])
    x.add_(1)
    x.mul_(2).sub_(1)
    print(x)
    x.div_(2)
    x.neg_()
    x.clamp_(min=-2)
    print(x)
    print(x.pow_(2))
    print(x.sqrt_())
    print(x.fill_(7))
    print(x.zero_())
    print(x.copy_(torch.tensor([1, 2, 3])))


@snippet
def inplace_returns_same_object(torch):
    x = torch.ones(2)
    y = x.add_(1)
    x += 1
    print(y is x, y, x._version)


@snippet
def inplace_operators(torch):
    x = torch.tensor([4.0, 9.0])
    alias = x
    x += 1
    x *= 2
    x -= 4
    x /= 3
    x **= 2
    print(x, alias is x)


@snippet
def inplace_on_leaf_refused(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    attempt(lambda: x.add_(1))
    attempt(lambda: x.zero_())
    attempt(lambda: x[0:1].mul_(2))
    print(x)


@snippet
def inplace_augmented_on_leaf_refused(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    x += 1
    return x


@snippet
def inplace_on_result(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.add_(1)
    print(y)
    y.mul_(3)
    print(y)
    y.sum().backward()
    print(x.grad)


@snippet
def inplace_breaks_saved_input(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    z = y**2
    y.add_(1)
    attempt(z.sum().backward)


@snippet
def inplace_breaks_saved_output(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    y += 1
    attempt(y.sum().backward)


@snippet
def inplace_harmless_where_nothing_is_saved(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x + 1
    z = y * 2
    y.zero_()
    z.sum().backward()
    print(x.grad, y, z)


@snippet
def inplace_weights_before_backward(torch):
    w1 = torch.ones(2, 2, requires_grad=True)
    w2 = torch.ones(2, 1, requires_grad=True)
    x = torch.ones(1, 2)
    loss = (x @ w1 @ w2).sum()
    with torch.no_grad():
        w2 -= 0.1
    attempt(loss.backward)


@snippet
def inplace_version_counter(torch):
    x = torch.zeros(3)
    print(x._version)
    x.add_(1)
    x[0] = 5
    view = x[1:]
    view.mul_(2)
    print(x._version, view._version, x.detach()._version, x.clone()._version)


@snippet
def inplace_dtype_cannot_change(torch):
    x = torch.tensor([1, 2])
    attempt(lambda: x.add_(0.5))
    attempt(lambda: x.div_(2))
    x.mul_(True)
    print(x)
    y = torch.tensor([1.0])
    y += torch.tensor([2], dtype=torch.int64)
    print(y)
    attempt(lambda: torch.tensor([1.0]).add_(1j))


@snippet
def inplace_shape_cannot_change(torch):
    x = torch.ones(3)
    attempt(lambda: x.add_(torch.ones(2, 3)))
    attempt(lambda: x.mul_(torch.ones(2)))
    x.add_(torch.tensor([1.0]))
    print(x)


@snippet
def inplace_relu_on_result(torch):
    x = torch.tensor([-1.0, 2.0], requires_grad=True)
    y = x * 2
    torch.nn.functional.relu(y, inplace=True)
    print(y)
    torch.relu_(y)
    y.sum().backward()
    print(x.grad)


@snippet
def inplace_accumulation_in_loop(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    total = torch.zeros(2)
    for i in range(3):
        total += x * i
    print(total)
    total.sum().backward()
    print(x.grad)


@snippet
def inplace_with_value_that_requires_grad(torch):
    x = torch.zeros(2)
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    x.add_(w, alpha=3)
    print(x, x.requires_grad, x.is_leaf)
    x.copy_(w * 5)
    print(x)
    x.sum().backward()
    print(w.grad)


@snippet
def inplace_fused_updates(torch):
    x = torch.tensor([1.0, 2.0])
    x.addcmul_(torch.tensor([1.0, 1.0]), torch.tensor([2.0, 3.0]), value=0.5)
    x.addcdiv_(torch.tensor([1.0, 1.0]), torch.tensor([2.0, 4.0]), value=-1)
    x.lerp_(torch.zeros(2), 0.5)
    print(x)


@snippet
def inplace_on_expanded_refused(torch):
    x = torch.zeros(1, 3).expand(2, 3)
    attempt(lambda: x.add_(1))
    attempt(lambda: x.copy_(torch.ones(2, 3)))


@snippet
def inplace_transposition(torch):
    x = torch.arange(6.0).view(2, 3)
    x.t_()
    print(x)
    x.unsqueeze_(0)
    print(x.shape, x.squeeze_().shape)


@snippet
def inplace_fill_and_random(torch):
    torch.manual_seed(3)
    x = torch.empty(3)
    print(x.uniform_())
    print(x.normal_())
    w = torch.empty(2, requires_grad=True)
    attempt(lambda: w.uniform_())
    with torch.no_grad():
        print(w.uniform_(-1, 1))


@snippet
def overlapping_writes_are_refused(torch):
    x = torch.arange(5.0)
    attempt(lambda: x[1:].copy_(x[:-1]))
    attempt(lambda: x[1:].add_(x[:-1]))
    attempt(lambda: x[:4].view(2, 2).mul_(x[:4].view(2, 2).T))
    attempt(lambda: x.__setitem__(slice(1, None), x[:-1]))
    print(x)
    x[:] = x
    x[:2] = x[2:4]
    x[:] = x.flip(0)
    x.mul_(x)
    x[::2].add_(x[1::2].sum())
    print(x)


@snippet
def a_leaf_is_refused_before_shared_elements(torch):
    x = torch.ones(1, requires_grad=True)
    attempt(lambda: x.expand(3).add_(1))
