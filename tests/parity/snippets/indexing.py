"""Elements, rows, slices, masks and lists of positions."""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np

from .base import attempt, snippet


def matrix(torch):
    """3 x 4, counted up."""
    return torch.arange(12.0).view(3, 4)


@snippet
def index_elements_and_rows(torch):
    x = matrix(torch)
    print(x[0], x[-1], x[1, 2], x[1][2], x[-1, -1])
    return x[0, 0], x[2]


@snippet
def index_slices(torch):
    x = matrix(torch)
    print(x[1:], x[:2, 1:3], x[::2], x[:, ::2], x[:, -2:], x[0:0].shape, x[5:].shape)


@snippet
def index_columns(torch):
    x = matrix(torch)
    print(x[:, 1])
    print(x[..., 0], x[..., -1:], x[:, 1:2].shape)


@snippet
def index_new_axis(torch):
    x = torch.tensor([1, 2, 3])
    print(x[None].shape, x[:, None].shape, x[None, :, None].shape, x[..., None])
    print(x[:, None] * x)


@snippet
def index_with_lists(torch):
    x = matrix(torch)
    print(x[[0, 2]], x[[0, 1, 2], [1, 2, 3]], x[:, [3, 0]])
    print(x[torch.tensor([2, 0, 2])], x[torch.tensor([[0, 1], [1, 0]]), 1])


@snippet
def index_with_masks(torch):
    x = matrix(torch)
    print(x[x > 5])
    print(x[x.sum(1) > 10])
    print(x[:, torch.tensor([True, False, True, False])])
    print(x[torch.zeros(3, dtype=torch.bool)].shape, x[True].shape, x[False].shape)


@snippet
def index_with_arrays_and_tensors_as_numbers(torch):
    x = matrix(torch)
    print(x[np.array([0, 1])], x[np.int64(1)], x[torch.tensor(1)], x[torch.tensor(1), torch.tensor(2)])


@snippet
def index_out_of_range(torch):
    x = matrix(torch)
    attempt(lambda: x[3])
    attempt(lambda: x[-4])
    attempt(lambda: x[0, 4])
    attempt(lambda: x[[0, 3]])
    attempt(lambda: x[0, 0, 0])
    attempt(lambda: x[::-1])


@snippet
def index_of_wrong_kind(torch):
    x = matrix(torch)
    attempt(lambda: x[1.0])
    attempt(lambda: x[torch.tensor([0.5])])
    attempt(lambda: x[torch.tensor([True, False])])
    attempt(lambda: x[[0, 1], [0, 1, 2]])


@snippet
def index_gradients(torch):
    x = matrix(torch).requires_grad_()
    y = x[1, 2] * 10 + x[0].sum() + x[:, -1].sum()
    y.backward()
    print(x.grad)


@snippet
def index_gradient_of_repeated_positions_adds_up(torch):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x[[0, 0, 2]]
    print(y)
    y.sum().backward()
    print(x.grad)


@snippet
def index_gradient_of_masked_selection(torch):
    x = torch.tensor([-1.0, 2.0, -3.0, 4.0], requires_grad=True)
    chosen = x[x > 0]
    print(chosen)
    (chosen**2).sum().backward()
    print(x.grad)


@snippet
def index_grad_fn_names(torch):
    x = matrix(torch).requires_grad_()
    for y in (x[0], x[0, 1], x[1:], x[::2], x[..., 0], x[None], x[[0]], x[x > 3], x[:], x[torch.tensor(1)]):
        print(y.grad_fn.name(), end=" ")
    print()


@snippet
def index_select_and_gather(torch):
    x = matrix(torch)
    print(torch.index_select(x, 0, torch.tensor([0, 2])))
    print(torch.gather(x, 1, torch.tensor([[0, 1], [2, 3], [0, 0]])))
    print(torch.take(x, torch.tensor([0, 5])), torch.masked_select(x, x > 9), x.narrow(1, 1, 2), x.select(0, 1))
    print(torch.take_along_dim(x, x.argmax(1, keepdim=True), dim=1))


@snippet
def index_gather_gradient(torch):
    logits = torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], requires_grad=True)
    target = torch.tensor([2, 0])
    picked = logits.log_softmax(1).gather(1, target.unsqueeze(1)).squeeze(1)
    loss = -picked.mean()
    loss.backward()
    print(loss)
    print(logits.grad)


@snippet
def index_scatter(torch):
    print(torch.zeros(2, 3).scatter(1, torch.tensor([[0], [2]]), 1.0))
    src = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    out = torch.zeros(2).scatter_add(0, torch.tensor([0, 1, 0]), src)
    print(out)
    out[0].backward()
    print(src.grad)


@snippet
def index_where_nonzero(torch):
    x = torch.tensor([[0, 1], [2, 0]])
    print(torch.nonzero(x))
    print(torch.where(x > 0))
    print(x.nonzero(as_tuple=True))
    print(x[x != 0], torch.count_nonzero(x), torch.argwhere(x))


@snippet
def index_unbinding_and_splitting(torch):
    x = matrix(torch)
    first, *rest = x
    print(first, len(rest))
    print(x.unbind(1)[0], x.split(2, dim=1)[1], [c.shape for c in x.chunk(2)], x.split([1, 2])[0])


@snippet
def index_iteration_with_gradients(torch):
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    total = 0
    for i, row in enumerate(x):
        total = total + (i + 1) * row.sum()
    print(total)
    total.backward()
    print(x.grad)


@snippet
def index_counts_and_products(torch):
    x = torch.tensor([1, 3, 1, 0])
    print(torch.bincount(x), x.bincount(minlength=6), torch.bincount(x, weights=torch.tensor([0.5, 1.0, 2.0, 4.0])))
    print(torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4, 5])), torch.cartesian_prod(torch.tensor([1.0, 2.0])))
    attempt(lambda: torch.bincount(torch.tensor([-1])))
    attempt(lambda: torch.bincount(torch.tensor([1.5])))
    attempt(lambda: torch.cartesian_prod(torch.ones(2, 2)))


@snippet
def index_positions_where(torch):
    rows, columns = torch.where(torch.tensor([[0.5, 0.0], [-1.0, 2.0]]))
    print(rows, columns, torch.where(torch.tensor([False])), torch.where(torch.tensor(True)))
