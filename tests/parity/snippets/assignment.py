"""``x[index] = value``, and what it does to gradients."""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np

from .base import attempt, snippet


@snippet
def assign_elements(torch):
    x = torch.zeros(2, 3)
    x[0, 1] = 5
    x[1] = torch.tensor([1.0, 2.0, 3.0])
    x[0, -1] = torch.tensor(7)
    print(x)
    return x


@snippet
def assign_slices(torch):
    x = torch.arange(10)
    x[2:5] = 0
    x[::4] = -1
    x[-2:] = torch.tensor([50, 60])
    print(x)
    y = torch.zeros(3, 3)
    y[:, 0] = 1
    y[1:, 1:] = torch.tensor([[2.0], [3.0]])
    y[..., 2] = 9
    print(y)


@snippet
def assign_masks(torch):
    x = torch.tensor([-1.0, 2.0, -3.0, 4.0])
    x[x < 0] = 0
    print(x)
    x[x > 1] = torch.tensor([20.0, 40.0])
    print(x)
    x[torch.tensor([True, False, True, False])] += 1
    print(x)


@snippet
def assign_lists(torch):
    x = torch.zeros(4)
    x[[0, 2]] = torch.tensor([1.0, 2.0])
    x[torch.tensor([3])] = 9
    print(x)
    y = torch.zeros(2, 2)
    y[[0, 1], [1, 0]] = 5
    print(y)


@snippet
def assign_augmented(torch):
    x = torch.arange(4.0)
    x[0] += 10
    x[1:3] *= 2
    x[3] /= 4
    x[-1] -= 1
    print(x)


@snippet
def assign_casts_to_dtype(torch):
    x = torch.zeros(2, dtype=torch.int64)
    x[0] = 3.9
    print(x)
    f = torch.zeros(2)
    f[0] = True
    f[1] = torch.tensor(2, dtype=torch.int64)
    print(f)


@snippet
def assign_arrays_and_numbers_of_numpy(torch):
    x = torch.zeros(3)
    x[0] = np.float64(1.5)
    x[np.int64(1)] = np.int64(2)
    attempt(lambda: x.__setitem__(slice(None), np.array([1.0, 2.0, 3.0])))
    print(x)


@snippet
def assign_wrong_shapes(torch):
    x = torch.zeros(2, 3)
    attempt(lambda: x.__setitem__(0, torch.ones(2)))
    attempt(lambda: x.__setitem__(slice(None), torch.ones(3, 3)))
    attempt(lambda: x.__setitem__((0, 5), 1.0))
    attempt(lambda: x.__setitem__(0, "a"))
    # Which elements a mask chooses is seen when it is computed.
    attempt(lambda: (x.__setitem__(x > -1, torch.ones(5)), x.tolist()))
    return x


@snippet
def assign_to_leaf_refused(torch):
    x = torch.ones(3, requires_grad=True)
    attempt(lambda: x.__setitem__(0, 5.0))
    with torch.no_grad():
        x[0] = 5.0
    print(x)


@snippet
def assign_cuts_gradient_of_replaced_element(torch):
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y[0] = 0
    print(y)
    y.sum().backward()
    print(x.grad)


@snippet
def assign_passes_gradient_to_value(torch):
    v = torch.tensor(3.0, requires_grad=True)
    x = torch.zeros(3)
    x[1] = v * v
    print(x, x.requires_grad)
    (x * 2).sum().backward()
    print(v.grad)


@snippet
def assign_rows_with_gradients(torch):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    out = torch.zeros(2, 2)
    for i in range(2):
        out[i] = w * (i + 1)
    print(out)
    out.sum().backward()
    print(w.grad)


@snippet
def assign_through_view_of_result(torch):
    x = torch.ones(4, requires_grad=True)
    y = x * 1
    half = y[:2]
    half[:] = 0
    print(y)
    print(half)
    (y * torch.arange(4.0)).sum().backward()
    print(x.grad)


@snippet
def assign_makes_saved_value_stale(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    z = y * y
    y[0] = 10.0
    attempt(z.sum().backward)


@snippet
def assign_with_index_functions(torch):
    x = torch.zeros(3, 2)
    x.index_fill_(0, torch.tensor([0]), 7.0)
    x.index_put_((torch.tensor([1]), torch.tensor([1])), torch.tensor([3.0]), accumulate=True)
    x.index_add_(0, torch.tensor([2, 2]), torch.ones(2, 2))
    x.masked_fill_(x == 0, -1)
    print(x)
    print(torch.zeros(3).index_copy_(0, torch.tensor([2, 0]), torch.tensor([5.0, 6.0])))
    print(torch.arange(3.0).masked_fill(torch.tensor([True, False, False]), torch.inf))


@snippet
def assign_fill_diagonal_and_swap(torch):
    x = torch.zeros(3, 3)
    x.fill_diagonal_(1)
    x[[0, 1]] = x[[1, 0]]
    print(x)
    a, b = torch.tensor([1, 2]), torch.tensor([3, 4])
    a, b = b, a
    print(a, b)
