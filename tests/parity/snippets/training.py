"""Whole training loops, as tutorials write them."""
# mypy: ignore-errors

from __future__ import annotations

import math

import numpy as np

from .base import snippet


def line(torch, n=20):
    """Points near a line, the same on every machine."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, n)
    y = 3 * x + 0.5 + 0.1 * rng.standard_normal(n)
    return torch.tensor(x, dtype=torch.float32).unsqueeze(1), torch.tensor(y, dtype=torch.float32).unsqueeze(1)


@snippet
def fit_line_by_hand(torch):
    x, y = line(torch)
    w, b = 0.0, 0.0
    for step in range(50):
        error = w * x + b - y
        w -= 0.3 * (2 * error * x).mean()
        b -= 0.3 * (2 * error).mean()
        if step % 10 == 9:
            print(step, f"{(error**2).mean():.4f}", f"{w:.3f}", f"{b:.3f}")


@snippet
def fit_line_by_autograd(torch):
    x, y = line(torch)
    w = torch.zeros(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    for step in range(50):
        loss = ((x * w + b - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= 0.3 * w.grad
            b -= 0.3 * b.grad
            w.grad.zero_()
            b.grad.zero_()
        if step % 10 == 9:
            print(step, f"{loss.item():.4f}", f"{w.item():.3f}", f"{b.item():.3f}")
    return w, b


@snippet
def fit_line_by_module_and_sgd(torch):
    x, y = line(torch)
    torch.manual_seed(0)
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    criterion = torch.nn.MSELoss()
    for epoch in range(50):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        if epoch % 10 == 9:
            print(f"epoch {epoch}, loss {loss.item():.4f}")
    print(model.weight, model.bias)


@snippet
def fit_sine_by_polynomial(torch):
    x = torch.linspace(-math.pi, math.pi, 200)
    y = torch.sin(x)
    a, b, c, d = (torch.tensor(v, requires_grad=True) for v in (0.1, 0.2, -0.1, 0.0))
    for t in range(60):
        y_pred = a + b * x + c * x**2 + d * x**3
        loss = (y_pred - y).pow(2).mean()
        if t % 20 == 19:
            print(t, f"{loss.item():.4f}")
        loss.backward()
        with torch.no_grad():
            for p in (a, b, c, d):
                p -= 1e-3 * p.grad
                p.grad = None
    print(f"Result: y = {a.item():.3f} + {b.item():.3f} x + {c.item():.3f} x^2 + {d.item():.3f} x^3")


@snippet
def learn_xor(torch):
    nn = torch.nn
    torch.manual_seed(1)
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1), nn.Sigmoid())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for epoch in range(60):
        optimizer.zero_grad()
        loss = nn.BCELoss()(model(x), y)
        loss.backward()
        optimizer.step()
        if epoch % 20 == 19:
            print(epoch, f"{loss.item():.3f}")
    print(model(x).round().view(-1).tolist())


@snippet
def classify_points_in_batches(torch):
    nn = torch.nn
    rng = np.random.default_rng(1)
    points = rng.standard_normal((60, 2)).astype(np.float32)
    x, y = torch.from_numpy(points), torch.from_numpy((points[:, 0] * points[:, 1] > 0).astype(np.int64))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    for epoch in range(5):
        total = 0.0
        for start in range(0, 60, 20):
            batch = slice(start, start + 20)
            optimizer.zero_grad()
            loss = criterion(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            total += loss.item()
        with torch.no_grad():
            accuracy = (model(x).argmax(1) == y).float().mean()
        print(f"epoch {epoch}: loss {total / 3:.3f}, accuracy {accuracy:.2f}")


@snippet
def two_layers_by_hand(torch):
    rng = np.random.default_rng(2)
    x, y = (torch.tensor(rng.standard_normal(shape)) for shape in ((8, 5), (8, 2)))
    w1, w2 = (torch.tensor(rng.standard_normal(shape)) for shape in ((5, 6), (6, 2)))
    for t in range(6):
        h = x.mm(w1)
        h_relu = h.clamp(min=0)
        y_pred = h_relu.mm(w2)
        loss = (y_pred - y).pow(2).sum().item()
        print(t, f"{loss:.5f}")
        grad_y_pred = 2.0 * (y_pred - y)
        grad_w2 = h_relu.t().mm(grad_y_pred)
        grad_h = grad_y_pred.mm(w2.t()).clone()
        grad_h[h < 0] = 0
        grad_w1 = x.t().mm(grad_h)
        w1 -= 1e-3 * grad_w1
        w2 -= 1e-3 * grad_w2


@snippet
def two_layers_by_autograd(torch):
    rng = np.random.default_rng(2)
    x, y = (torch.tensor(rng.standard_normal(shape)) for shape in ((8, 5), (8, 2)))
    w1, w2 = (torch.tensor(rng.standard_normal(shape), requires_grad=True) for shape in ((5, 6), (6, 2)))
    for t in range(6):
        loss = (x.mm(w1).clamp(min=0).mm(w2) - y).pow(2).sum()
        print(t, f"{loss.item():.5f}")
        loss.backward()
        with torch.no_grad():
            for w in (w1, w2):
                w -= 1e-3 * w.grad
                w.grad.zero_()


@snippet
def accumulate_gradients_over_batches(torch):
    x, y = line(torch, 8)
    model = torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for i in range(8):
        loss = torch.nn.functional.mse_loss(model(x[i : i + 1]), y[i : i + 1]) / 4
        loss.backward()
        if (i + 1) % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
            print(i, model.weight, model.bias)


@snippet
def early_stopping_keeps_best_state(torch):
    x, y = line(torch)
    torch.manual_seed(0)
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    best, best_state, waited = float("inf"), None, 0
    for epoch in range(100):
        optimizer.zero_grad()
        loss = ((model(x[:15]) - y[:15]) ** 2).mean()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            valid = ((model(x[15:]) - y[15:]) ** 2).mean().item()
        if valid < best - 1e-3:
            best, waited = valid, 0
            best_state = {k: v.clone() for k, v in model.state_dict().items()}
        else:
            waited += 1
            if waited == 5:
                print("stopped after", epoch)
                break
    model.load_state_dict(best_state)
    print(f"{best:.4f}", model.weight)


@snippet
def recurrent_network_by_hand(torch):
    torch.manual_seed(0)
    w_x = torch.nn.Parameter(torch.randn(1, 4) * 0.5)
    w_h = torch.nn.Parameter(torch.randn(4, 4) * 0.5)
    w_o = torch.nn.Parameter(torch.randn(4, 1) * 0.5)
    optimizer = torch.optim.Adam([w_x, w_h, w_o], lr=0.05)
    sequence = torch.sin(torch.arange(12.0) * 0.5)
    for epoch in range(6):
        h = torch.zeros(1, 4)
        loss = 0
        for t in range(11):
            h = torch.tanh(sequence[t].view(1, 1) @ w_x + h @ w_h)
            loss = loss + (h @ w_o - sequence[t + 1]).pow(2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(epoch, f"{loss.item():.3f}")


@snippet
def gradient_descent_on_inputs(torch):
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    for p in model.parameters():
        p.requires_grad_(False)
    x = torch.zeros(1, 3, requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        loss = (model(x) - 2).pow(2).sum()
        loss.backward()
        optimizer.step()
    print(x, f"{loss.item():.4f}", model.weight.grad)
