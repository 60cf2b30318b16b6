"""Trains a network of two layers to read scikit-learn's handwritten digits: 1797 images of 8 x 8 pixels."""

import sys

import numpy as np

import gradwire as torch
from gradwire import nn, optim

try:
    from sklearn.datasets import load_digits
except ImportError:
    sys.exit("The digits are scikit-learn's, which is not installed: pip install scikit-learn")

rng = np.random.default_rng(0)
digits = load_digits()
order = rng.permutation(len(digits.target))
images = torch.from_numpy(digits.data[order] / 16)
labels = torch.from_numpy(digits.target[order])
train, test = slice(0, 1500), slice(1500, None)

model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).double()
with torch.no_grad():
    for p in model.parameters():
        p.copy_(torch.from_numpy(rng.uniform(-0.125, 0.125, tuple(p.shape))))
print(model)

criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
for epoch in range(1, 11):
    losses = []
    for start in range(0, 1500, 100):
        batch = slice(start, start + 100)
        optimizer.zero_grad()
        loss = criterion(model(images[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    with torch.no_grad():
        accuracy = (model(images[test]).argmax(dim=1) == labels[test]).double().mean()
    print(f"epoch {epoch:2d}  loss {torch.stack(losses).mean().item():.4f}  accuracy {accuracy.item():.4f}")
