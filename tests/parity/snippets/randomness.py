"""Seeded random numbers: the same streams as torch's."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def uniform_numbers(torch):
    torch.manual_seed(0)
    print(torch.rand(2, 3))
    print(torch.rand(3))
    return torch.rand(20)


@snippet
def normal_numbers(torch):
    torch.manual_seed(0)
    print(torch.randn(2, 2))
    print(torch.randn(3, dtype=torch.float64))
    return torch.randn(20)


@snippet
def integers(torch):
    torch.manual_seed(0)
    print(torch.randint(10, (5,)), torch.randint(3, 10, (2, 2)), torch.randint(0, 2, (3,), dtype=torch.float32))


@snippet
def permutation(torch):
    torch.manual_seed(0)
    print(torch.randperm(10))
    return torch.randperm(100)


@snippet
def same_seed_gives_same_numbers(torch):
    torch.manual_seed(42)
    a = torch.rand(3)
    b = torch.rand(3)
    torch.manual_seed(42)
    c = torch.rand(3)
    print(torch.equal(a, c), torch.equal(a, b))
    print(a)


@snippet
def like_another(torch):
    torch.manual_seed(1)
    x = torch.zeros(2, 2, dtype=torch.float64)
    print(torch.rand_like(x), torch.randn_like(x), torch.randint_like(torch.zeros(3), 5))


@snippet
def random_leaf(torch):
    torch.manual_seed(5)
    x = torch.randn(2, 2, requires_grad=True)
    print(x)
    (x**2).sum().backward()
    print(x.grad)


@snippet
def bernoulli_and_multinomial(torch):
    torch.manual_seed(0)
    print(torch.bernoulli(torch.full((6,), 0.5)))
    print(torch.multinomial(torch.tensor([0.1, 0.2, 0.7]), 2), torch.multinomial(torch.tensor([0.5, 0.5]), 6, replacement=True))


@snippet
def normal_with_mean_and_deviation(torch):
    torch.manual_seed(0)
    print(torch.normal(2.0, 0.5, (3,)), torch.normal(torch.zeros(2), torch.ones(2)))
    attempt(lambda: torch.normal(0.0, -1.0, (2,)))


@snippet
def inplace_draws(torch):
    torch.manual_seed(0)
    x = torch.empty(3)
    print(x.uniform_(-1, 1))
    print(x.normal_(10, 2))
    print(x.bernoulli_(0.5))
    print(x.exponential_())


@snippet
def own_generator(torch):
    g = torch.Generator().manual_seed(7)
    print(torch.rand(2, generator=g), torch.randn(2, generator=g), torch.randperm(4, generator=g))
    print(g.initial_seed())
    return torch.rand(2)


@snippet
def seed_in_use(torch):
    torch.manual_seed(11)
    a = torch.rand(2)
    print(torch.initial_seed())
    torch.manual_seed(torch.initial_seed())
    print(torch.equal(a, torch.rand(2)))


@snippet
def mixed_draws_in_order(torch):
    torch.manual_seed(123)
    print(torch.rand(1), torch.randn(1), torch.randint(5, (1,)), torch.rand(1), torch.randn(17)[:3])


@snippet
def random_weights_by_hand(torch):
    torch.manual_seed(0)
    w = torch.randn(3, 2) / 3**0.5
    w.requires_grad_()
    b = torch.zeros(2, requires_grad=True)
    loss = torch.sigmoid(torch.rand(4, 3) @ w + b).mean()
    loss.backward()
    print(loss)
    print(w.grad, b.grad)


@snippet
def reparametrised_sampling(torch):
    torch.manual_seed(0)
    mu = torch.tensor([0.0, 1.0], requires_grad=True)
    log_sigma = torch.tensor([0.0, -1.0], requires_grad=True)
    sample = mu + log_sigma.exp() * torch.randn(2)
    (sample**2).sum().backward()
    print(sample, mu.grad, log_sigma.grad)


@snippet
def monte_carlo_estimate(torch):
    torch.manual_seed(0)
    points = torch.rand(2000, 2)
    inside = (points.pow(2).sum(1) < 1).float().mean()
    print(4 * inside)
