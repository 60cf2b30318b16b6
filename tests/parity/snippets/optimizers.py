"""``optim``: steps, options, state."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


def run(torch, make, steps=4):
    """Minimises a small function, printing where it goes."""
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    optimizer = make([x])
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (x**2 * torch.tensor([1.0, 3.0])).sum()
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.4f}", x)
    return x


@snippet
def sgd(torch):
    return run(torch, lambda p: torch.optim.SGD(p, lr=0.1))


@snippet
def sgd_with_momentum(torch):
    return run(torch, lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9))


@snippet
def sgd_with_nesterov_and_decay(torch):
    return run(torch, lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1))


@snippet
def sgd_with_dampening(torch):
    return run(torch, lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.5, dampening=0.3))


@snippet
def sgd_that_maximises(torch):
    return run(torch, lambda p: torch.optim.SGD(p, lr=0.01, maximize=True))


@snippet
def adam(torch):
    return run(torch, lambda p: torch.optim.Adam(p, lr=0.1))


@snippet
def adam_with_options(torch):
    return run(torch, lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.05, amsgrad=True))


@snippet
def adamw(torch):
    return run(torch, lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.2))


@snippet
def optimizer_repr(torch):
    x = torch.ones(1, requires_grad=True)
    print(torch.optim.SGD([x], lr=0.1, momentum=0.9))
    print(torch.optim.Adam([x]))


@snippet
def optimizer_zero_grad(torch):
    x = torch.tensor(1.0, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.1)
    (x * 2).backward()
    print(x.grad)
    optimizer.zero_grad()
    print(x.grad)
    (x * 2).backward()
    optimizer.zero_grad(set_to_none=False)
    print(x.grad)
    optimizer.step()
    print(x)


@snippet
def optimizer_groups(torch):
    nn = torch.nn
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    optimizer = torch.optim.SGD([{"params": model[0].parameters()}, {"params": model[1].parameters(), "lr": 0.5}], lr=0.1)
    print([(group["lr"], len(group["params"])) for group in optimizer.param_groups])
    for group in optimizer.param_groups:
        group["lr"] *= 0.1
    print([round(group["lr"], 4) for group in optimizer.param_groups])
    optimizer.add_param_group({"params": [torch.ones(1, requires_grad=True)], "lr": 7})
    print(len(optimizer.param_groups), optimizer.defaults["momentum"])


@snippet
def optimizer_state(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.1, momentum=0.9)
    (x**2).sum().backward()
    optimizer.step()
    print(optimizer.state_dict())
    other = torch.optim.SGD([x], lr=0.5, momentum=0.1)
    other.load_state_dict(optimizer.state_dict())
    print(other.param_groups[0]["lr"], other.state[x]["momentum_buffer"])


@snippet
def optimizer_state_of_adam(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=0.1)
    (x**2).sum().backward()
    optimizer.step()
    print({key: value for key, value in optimizer.state[x].items()})  # noqa: C416 - a plain dictionary is printed


@snippet
def optimizer_with_closure(torch):
    x = torch.tensor(3.0, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (x - 1) ** 2
        loss.backward()
        return loss

    for _ in range(3):
        loss = optimizer.step(closure)
        print(loss, x)


@snippet
def optimizer_skips_what_has_no_gradient(torch):
    a = torch.ones(1, requires_grad=True)
    b = torch.ones(1, requires_grad=True)
    optimizer = torch.optim.Adam([a, b], lr=0.1)
    (a * 2).sum().backward()
    optimizer.step()
    print(a, b, len(optimizer.state))


@snippet
def optimizer_misuse(torch):
    attempt(lambda: torch.optim.SGD([], lr=0.1))
    attempt(lambda: torch.optim.SGD(torch.ones(1, requires_grad=True), lr=0.1))
    attempt(lambda: torch.optim.SGD([torch.ones(1, requires_grad=True) * 2], lr=0.1))
    attempt(lambda: torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=-1.0))
    attempt(lambda: torch.optim.Adam([torch.ones(1, requires_grad=True)], betas=(1.0, 0.5)))
    attempt(lambda: torch.optim.SGD([1.0], lr=0.1))
    attempt(lambda: torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1, nesterov=True))


@snippet
def optimizer_changes_no_history(torch):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.5)
    y = (w * 3).sum()
    y.backward()
    optimizer.step()
    print(w, w.is_leaf, w.grad_fn, w._version)


@snippet
def optimizer_step_makes_graph_stale(torch):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.5)
    y = (w * w).sum()
    y.backward(retain_graph=True)
    optimizer.step()
    attempt(y.backward)


@snippet
def learning_rate_decayed_by_hand(torch):
    x = torch.tensor(4.0, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.4)
    for epoch in range(3):
        optimizer.zero_grad()
        (x**2).backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] *= 0.5
        print(epoch, f"{x.item():.6f}", optimizer.param_groups[0]["lr"])
