"""Fits a cubic to noisy points, with a layer from ``nn``, a loss, and an optimizer from ``optim``."""

import numpy as np

import gradwire as torch
from gradwire import nn, optim

rng = np.random.default_rng(0)
x = torch.from_numpy(rng.uniform(-1, 1, 200))
y = torch.sin(3 * x) + torch.from_numpy(rng.normal(0, 0.05, 200))

# One column for each of x, x² and x³, so that the polynomial is a linear layer.
powers = x.unsqueeze(-1) ** torch.tensor([1, 2, 3])
model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1)).double()
with torch.no_grad():
    for p in model.parameters():
        p.copy_(torch.from_numpy(rng.standard_normal(tuple(p.shape))))
print(model)

loss_fn = nn.MSELoss()
optimizer = optim.Adam(model.parameters(), lr=0.1)
for step in range(1, 501):
    loss = loss_fn(model(powers), y)
    if step % 100 == 0:
        print(f"step {step:3d}  loss {loss.item():.6f}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

linear = model[0]
b, c, d = linear.weight[0].tolist()
print(f"y = {linear.bias.item():.4f} + {b:.4f} x + {c:.4f} x^2 + {d:.4f} x^3")
