"""Views, and what happens to them when one of them changes."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def view_shapes(torch):
    x = torch.arange(16)
    print(x.view(4, 4).shape, x.view(-1, 8).shape, x.view(2, 2, 4).shape, x.reshape(8, -1).shape, x.view(4, 4).flatten(0).shape)
    attempt(lambda: x.view(3, 5))
    attempt(lambda: x.view(-1, -1))
    attempt(lambda: x.view(3, -1))
    attempt(lambda: x.reshape(5, 5))


@snippet
def view_shares_memory(torch):
    x = torch.zeros(4)
    y = x.view(2, 2)
    y[0, 0] = 1
    x[3] = 9
    print(x, y)


@snippet
def view_of_transposed_refused(torch):
    x = torch.arange(6).view(2, 3).t()
    attempt(lambda: x.view(6))
    print(x.reshape(6), x.contiguous().view(6), x.is_contiguous(), x.stride())


@snippet
def view_squeeze_unsqueeze(torch):
    x = torch.zeros(2, 1, 3, 1)
    print(x.squeeze().shape, x.squeeze(1).shape, x.squeeze(0).shape, x.unsqueeze(0).shape, x.unsqueeze(-1).shape)
    attempt(lambda: x.unsqueeze(7))


@snippet
def view_permutations(torch):
    x = torch.arange(6).view(1, 2, 3)
    print(x.permute(2, 0, 1).shape, x.transpose(0, 2).shape, x.swapaxes(0, 1).shape, x.movedim(0, -1).shape)
    print(x[0].T, x.mT.shape)
    attempt(lambda: x.permute(0, 1))
    attempt(lambda: x.transpose(0, 5))


@snippet
def view_expand_and_repeat(torch):
    x = torch.tensor([[1], [2]])
    print(x.expand(2, 3), x.expand(-1, 2).stride(), x.repeat(1, 2), x.repeat_interleave(2), x.expand_as(torch.zeros(2, 4)).shape)
    print(x.tile(2), torch.tensor([1, 2]).repeat(2, 2))
    attempt(lambda: x.expand(3, 3))


@snippet
def view_gradients(torch):
    x = torch.arange(4.0, requires_grad=True)
    y = x.view(2, 2).t().reshape(-1)
    print(y)
    (y * torch.tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    print(x.grad)


@snippet
def view_expand_gradient_is_summed(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    x.expand(3, 2).sum().backward()
    print(x.grad)
    x.grad = None
    x.repeat(2, 2).sum().backward()
    print(x.grad)


@snippet
def view_changed_in_place_rebuilds_grad_fn(torch):
    x = torch.ones(2, 2, requires_grad=True)
    y = x * 2
    row = y[0]
    print(row.grad_fn.name())
    y.mul_(3)
    print(row, row.grad_fn.name())
    row.sum().backward()
    print(x.grad)


@snippet
def view_changes_base(torch):
    x = torch.ones(2, 2, requires_grad=True)
    y = x * 2
    row = y[0]
    row.mul_(5)
    print(y)
    y.sum().backward()
    print(x.grad)


@snippet
def view_of_leaf_refuses_inplace(torch):
    x = torch.ones(2, 2, requires_grad=True)
    attempt(lambda: x[0].mul_(2))
    attempt(lambda: x.view(4).add_(1))
    with torch.no_grad():
        x[0].mul_(2)
        x.view(4)[3] = 7
    print(x)


@snippet
def view_of_several_outputs_refuses_inplace(torch):
    x = torch.ones(4, requires_grad=True) * 1
    a, _ = x.chunk(2)
    attempt(lambda: a.mul_(2))
    first, *_ = x.unbind()
    attempt(first.zero_)


@snippet
def view_made_under_no_grad_refuses_inplace(torch):
    x = torch.ones(2, requires_grad=True) * 1
    with torch.no_grad():
        v = x[:1]
    print(v.requires_grad)
    attempt(lambda: v.mul_(torch.ones(1, requires_grad=True)))


@snippet
def view_base_attribute(torch):
    x = torch.ones(4, requires_grad=True)
    y = x * 1
    v = y[1:].view(3, 1)
    print(v._is_view(), v._base is y, y._is_view(), y._base, x.detach()._is_view())


@snippet
def view_as_and_reshape_as(torch):
    x = torch.arange(6.0, requires_grad=True)
    template = torch.zeros(3, 2)
    print(x.view_as(template), x.reshape_as(template).shape, x.unflatten(0, (2, 3)).shape)
    print(torch.flatten(torch.zeros(2, 3, 4), start_dim=1).shape, torch.ravel(template).shape)


@snippet
def view_rolled_flipped_diagonal(torch):
    x = torch.arange(9).view(3, 3)
    print(x.flip(0), x.roll(1, 1), x.diagonal(), x.rot90(), torch.diagonal(x, offset=1))
    d = torch.zeros(2, 2)
    d.diagonal().add_(1)
    print(d)
