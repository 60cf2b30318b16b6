"""``detach``, ``.data``, ``clone`` and ``requires_grad_``."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def detach_cuts_history(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    d = y.detach()
    print(d, d.requires_grad, d.grad_fn, d.is_leaf)
    z = (y * d).sum()
    z.backward()
    print(x.grad)


@snippet
def detach_shares_memory(torch):
    x = torch.ones(3)
    d = x.detach()
    d[0] = 5
    print(x)
    d.zero_()
    print(x, d.data_ptr() == x.data_ptr())


@snippet
def detach_and_change_saved_value(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.sigmoid()
    d = y.detach()
    d.zero_()
    print(y)
    attempt(y.sum().backward)


@snippet
def detach_in_place(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.detach_()
    print(y, y.is_leaf)
    attempt((y * 2).sum().backward)


@snippet
def data_hides_change_from_backward(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.sigmoid()
    y.data.zero_()
    print(y)
    y.sum().backward()
    print(x.grad)


@snippet
def data_of_leaf(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    print(x.data, x.data.requires_grad)
    x.data *= 10
    print(x, x.grad_fn)
    x.data = torch.tensor([7.0, 8.0, 9.0])
    print(x)
    (x * 2).sum().backward()
    print(x.grad)


@snippet
def data_updates_weights(torch):
    w = torch.tensor(1.0, requires_grad=True)
    for step in range(3):
        loss = (w * 3 - 6) ** 2
        loss.backward()
        w.data -= 0.05 * w.grad.data
        w.grad.data.zero_()
        print(step, f"{loss.item():.4f}", w)


@snippet
def clone_keeps_history(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    c = x.clone()
    print(c)
    c[0] = 10
    print(x, c)
    c.sum().backward()
    print(x.grad)


@snippet
def clone_and_detach(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a = x.detach().clone()
    b = x.clone().detach().requires_grad_(True)
    a[0] = 9
    print(x, a, b)
    (b * 2).sum().backward()
    print(x.grad, b.grad)


@snippet
def requires_grad_switched_on(torch):
    a = torch.tensor([2.0, 2.0])
    a = (a * 3) / (a - 1)
    print(a.requires_grad)
    a.requires_grad_(True)
    print(a.requires_grad)
    b = (a * a).sum()
    print(b.grad_fn.name())
    b.backward()
    print(a.grad)


@snippet
def requires_grad_set_as_attribute(torch):
    w = torch.zeros(2)
    w.requires_grad = True
    print(w)
    w.requires_grad = False
    print(w)
    y = torch.ones(2, requires_grad=True) * 2
    attempt(lambda: setattr(y, "requires_grad", False))
    attempt(lambda: y.requires_grad_(False))
    attempt(lambda: setattr(torch.tensor([1]), "requires_grad", True))


@snippet
def frozen_weights_get_no_gradient(torch):
    w1 = torch.ones(2, requires_grad=True)
    w2 = torch.ones(2, requires_grad=True)
    w1.requires_grad_(False)
    loss = (w1 * w2).sum()
    loss.backward()
    print(w1.grad, w2.grad)


@snippet
def truncated_recurrence(torch):
    w = torch.tensor(0.5, requires_grad=True)
    state = torch.tensor(1.0)
    for step in range(4):
        state = torch.tanh(w * state + 1)
        if step == 1:
            state = state.detach()
    state.backward()
    print(state, w.grad)


@snippet
def straight_through_rounding(torch):
    x = torch.tensor([0.2, 1.7], requires_grad=True)
    y = x + (x.round() - x).detach()
    print(y)
    (y * torch.tensor([1.0, 2.0])).sum().backward()
    print(x.grad)


@snippet
def deep_copy_of_leaves(torch):
    import copy

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = copy.deepcopy(x)
    y.data[0] = 5
    print(x, y, y.is_leaf)
    attempt(lambda: copy.deepcopy(x * 2))


@snippet
def addresses_of_views(torch):
    x = torch.zeros(4, 6)
    row = x[1]
    same = [row.detach(), x.view(24)[6:], x[1:], x[1:].t(), row.data, x.unbind(0)[1], x.reshape(-1)[6:12]]
    print([t.data_ptr() == row.data_ptr() for t in same], row.data_ptr() - x.data_ptr(), row.storage_offset())
    print(x.clone().data_ptr() == x.data_ptr(), x.t().data_ptr() == x.data_ptr(), torch.zeros(4, 6).data_ptr() == x.data_ptr())
