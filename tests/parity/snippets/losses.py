"""Losses and functions of ``nn.functional``."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def mse_loss_module(torch):
    loss = torch.nn.MSELoss()
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    target = torch.tensor([1.0, 0.0, 0.0])
    output = loss(x, target)
    print(loss, output)
    output.backward()
    print(x.grad)
    print(torch.nn.MSELoss(reduction="sum")(x, target), torch.nn.MSELoss(reduction="none")(x, target))
    attempt(lambda: torch.nn.MSELoss(reduction="average")(x, target))


@snippet
def mse_loss_of_different_sizes(torch):
    F = torch.nn.functional
    print(F.mse_loss(torch.ones(2, 1), torch.zeros(2)))
    attempt(lambda: F.mse_loss(torch.ones(2), torch.zeros(3)))


@snippet
def absolute_losses(torch):
    nn = torch.nn
    x = torch.tensor([0.5, -2.0, 3.0], requires_grad=True)
    target = torch.zeros(3)
    for loss in (nn.L1Loss(), nn.SmoothL1Loss(), nn.HuberLoss(delta=2.0), nn.SmoothL1Loss(beta=0.5, reduction="sum")):
        x.grad = None
        value = loss(x, target)
        value.backward()
        print(loss, value, x.grad)


@snippet
def cross_entropy_of_classes(torch):
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 3.0, 0.5]], requires_grad=True)
    loss = torch.nn.CrossEntropyLoss()(logits, torch.tensor([0, 2]))
    print(loss)
    loss.backward()
    print(logits.grad)


@snippet
def cross_entropy_options(torch):
    F = torch.nn.functional
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 3.0, 0.5]])
    target = torch.tensor([0, 2])
    print(F.cross_entropy(logits, target, reduction="none"), F.cross_entropy(logits, target, label_smoothing=0.1))
    print(F.cross_entropy(logits, target, weight=torch.tensor([1.0, 2.0, 3.0])))
    print(F.cross_entropy(logits, torch.tensor([0, -100])), F.cross_entropy(logits, logits.softmax(1)))


@snippet
def cross_entropy_misuse(torch):
    F = torch.nn.functional
    logits = torch.zeros(2, 3)
    attempt(lambda: F.cross_entropy(logits, torch.tensor([0, 3])))
    attempt(lambda: F.cross_entropy(logits, torch.tensor([0])))
    attempt(lambda: F.cross_entropy(logits, torch.tensor([0.0, 1.0])))


@snippet
def nll_of_log_softmax_is_cross_entropy(torch):
    F = torch.nn.functional
    logits = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    target = torch.tensor([1])
    a = F.nll_loss(F.log_softmax(logits, dim=1), target)
    b = F.cross_entropy(logits, target)
    print(a, b, torch.allclose(a, b))
    print(torch.nn.NLLLoss()(F.log_softmax(logits, 1), target))


@snippet
def binary_cross_entropies(torch):
    nn = torch.nn
    z = torch.tensor([0.0, 2.0, -1.0], requires_grad=True)
    target = torch.tensor([1.0, 0.0, 1.0])
    a = nn.BCELoss()(torch.sigmoid(z), target)
    b = nn.BCEWithLogitsLoss()(z, target)
    print(a, b)
    b.backward()
    print(z.grad)
    print(nn.BCEWithLogitsLoss(pos_weight=torch.tensor([2.0]))(z, target))
    attempt(lambda: nn.BCELoss()(torch.tensor([1.5]), torch.tensor([1.0])))
    attempt(lambda: nn.BCELoss()(torch.sigmoid(z), torch.ones(2)))


@snippet
def kl_divergence(torch):
    F = torch.nn.functional
    p = torch.tensor([[0.2, 0.8]])
    q = torch.tensor([[0.0, 1.0]], requires_grad=True)
    loss = torch.nn.KLDivLoss(reduction="batchmean")(F.log_softmax(q, dim=1), p)
    print(loss)
    loss.backward()
    print(q.grad)


@snippet
def softmax_family(torch):
    F = torch.nn.functional
    x = torch.tensor([[1.0, 2.0, 3.0], [1000.0, 1000.0, 1000.0]], requires_grad=True)
    print(F.softmax(x, dim=1), F.log_softmax(x, dim=-1), torch.softmax(x, 0))
    F.softmax(x, dim=1)[0, 0].backward()
    print(x.grad)
    attempt(lambda: F.softmax(x, dim=2))


@snippet
def activation_functions(torch):
    F = torch.nn.functional
    x = torch.tensor([-2.0, -0.5, 0.5, 2.0], requires_grad=True)
    names = "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "logsigmoid", "hardtanh", "relu6", "selu", "mish", "tanhshrink"
    for name in names:
        x.grad = None
        y = getattr(F, name)(x)
        y.sum().backward()
        print(name, y.detach(), x.grad)


@snippet
def functional_linear_and_bilinear(torch):
    F = torch.nn.functional
    x = torch.tensor([[1.0, 2.0]])
    w = torch.tensor([[3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    print(F.linear(x, w), F.linear(x, w, torch.tensor([0.5, 0.5])), F.linear(x[0], w).shape)
    attempt(lambda: F.linear(torch.ones(1, 3), w))


@snippet
def functional_one_hot_and_embedding(torch):
    F = torch.nn.functional
    print(F.one_hot(torch.tensor([0, 2, 1])), F.one_hot(torch.tensor([1]), num_classes=4))
    print(F.embedding(torch.tensor([[0, 1]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]])))
    attempt(lambda: F.one_hot(torch.tensor([3]), num_classes=2))


@snippet
def functional_pad_and_normalize(torch):
    F = torch.nn.functional
    x = torch.tensor([[3.0, 4.0]])
    print(F.pad(x, (1, 2)), F.pad(x, (1, 1), value=9.0), F.normalize(x), F.cosine_similarity(x, torch.tensor([[4.0, 3.0]])))
    print(F.pairwise_distance(x, torch.zeros(1, 2)))


@snippet
def functional_convolution(torch):
    F = torch.nn.functional
    x = torch.arange(9.0).view(1, 1, 3, 3).requires_grad_()
    w = torch.tensor([[[[1.0, 0.0], [0.0, -1.0]]]], requires_grad=True)
    y = F.conv2d(x, w)
    print(y)
    y.sum().backward()
    print(x.grad, w.grad)
    print(F.max_pool2d(x, 2), F.avg_pool2d(x, 2, stride=1))
    attempt(lambda: F.conv2d(torch.ones(1, 2, 3, 3), w))


@snippet
def functional_dropout_in_evaluation(torch):
    F = torch.nn.functional
    x = torch.ones(4)
    print(F.dropout(x, 0.5, training=False), F.dropout(x, p=0.0), F.dropout(x, p=1.0))


@snippet
def loss_by_hand(torch):
    target = torch.tensor([1.0, 2.0, 3.0])
    guess = torch.tensor([1.5, 2.0, 2.0], requires_grad=True)
    mse = ((guess - target) ** 2).mean()
    mae = (guess - target).abs().mean()
    print(mse, mae)
    (mse + mae).backward()
    print(guess.grad)


@snippet
def margins(torch):
    nn = torch.nn
    a = torch.tensor([[1.0, 2.0]], requires_grad=True)
    p, n = torch.tensor([[1.0, 1.0]]), torch.tensor([[4.0, 2.0]])
    print(
        nn.functional.cosine_embedding_loss(a, n, torch.tensor([-1.0])), nn.functional.hinge_embedding_loss(a, torch.tensor([[1.0, -1.0]]))
    )
    print(nn.functional.poisson_nll_loss(a, p), nn.functional.soft_margin_loss(a, n))


@snippet
def loss_of_triplets(torch):
    F = torch.nn.functional
    anchor = torch.tensor([[1.0, 2.0], [0.5, -1.0]], requires_grad=True)
    positive, negative = torch.tensor([[1.0, 1.0], [0.0, 0.0]]), torch.tensor([[2.0, 2.5], [-1.0, 1.0]])
    loss = F.triplet_margin_loss(anchor, positive, negative)
    loss.backward()
    print(loss, anchor.grad)
    print(F.triplet_margin_loss(anchor, positive, negative, margin=0.5, p=1, swap=True, reduction="none"))
    attempt(lambda: F.triplet_margin_loss(anchor, positive, negative, margin=-1.0))
    attempt(lambda: F.triplet_margin_loss(anchor, positive[0], negative))


@snippet
def loss_of_normal_distribution(torch):
    F = torch.nn.functional
    mean = torch.tensor([[0.5, 1.0], [2.0, -1.0]], requires_grad=True)
    var = torch.tensor([[1.0, 0.5], [2.0, 1e-9]], requires_grad=True)
    target = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    loss = F.gaussian_nll_loss(mean, target, var)
    loss.backward()
    print(loss, mean.grad, var.grad)
    print(F.gaussian_nll_loss(mean, target, torch.ones(2), full=True, reduction="sum"), F.gaussian_nll_loss(mean, target, 0.5))
    attempt(lambda: F.gaussian_nll_loss(mean, target, torch.ones(3)))
    attempt(lambda: F.gaussian_nll_loss(mean, target, -torch.ones(2, 2)))
