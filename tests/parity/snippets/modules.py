"""``nn.Module``: parameters, layers, containers, state."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


def network(torch):
    """Two layers."""
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(4, 3)
            self.fc2 = nn.Linear(3, 2)

        def forward(self, x):
            return self.fc2(torch.relu(self.fc1(x)))

    return Net()


@snippet
def linear_layer(torch):
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    print(layer)
    print(layer.weight)
    print(layer.bias)
    y = layer(torch.ones(1, 3))
    print(y)
    y.sum().backward()
    print(layer.weight.grad, layer.bias.grad)


@snippet
def linear_without_bias(torch):
    layer = torch.nn.Linear(2, 2, bias=False)
    print(layer, layer.bias, [name for name, _ in layer.named_parameters()])
    attempt(lambda: layer(torch.ones(3)))
    attempt(lambda: layer(torch.ones(1, 3)))
    attempt(lambda: layer(torch.ones(1, 2, dtype=torch.float64)))


@snippet
def module_of_two_layers(torch):
    torch.manual_seed(1)
    net = network(torch)
    print(net)
    out = net(torch.ones(1, 4))
    print(out)
    out.sum().backward()
    for name, p in net.named_parameters():
        print(name, tuple(p.shape), p.grad)


@snippet
def module_listings(torch):
    net = network(torch)
    print(len(list(net.parameters())), [n for n, _ in net.named_parameters()])
    print([n for n, _ in net.named_modules()], [type(m).__name__ for m in net.children()], [n for n, _ in net.named_children()])
    print(sum(p.numel() for p in net.parameters()), all(p.requires_grad for p in net.parameters()))


@snippet
def module_parameter(torch):
    p = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    print(p)
    print(isinstance(p, torch.Tensor), isinstance(p, torch.nn.Parameter), p.requires_grad, p.is_leaf, type(p).__name__)
    print(p * 2, p.data, p.detach())
    print(torch.nn.Parameter(torch.ones(1), requires_grad=False))
    print(isinstance(p * 2, torch.nn.Parameter), isinstance(torch.ones(1), torch.nn.Parameter))


@snippet
def module_with_own_parameters(torch):
    class Polynomial3(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = torch.nn.Parameter(torch.tensor(0.5))
            self.b = torch.nn.Parameter(torch.tensor(-1.0))
            self.plain = torch.tensor(3.0)

        def forward(self, x):
            return self.a + self.b * x**2

        def string(self):
            return f"y = {self.a.item()} + {self.b.item()} x^2"

    model = Polynomial3()
    print(model, model.string(), dict(model.named_parameters()))
    model(torch.tensor([1.0, 2.0])).sum().backward()
    print(model.a.grad, model.b.grad)
    attempt(lambda: setattr(model, "a", torch.tensor(1.0)))
    attempt(lambda: model.missing)


@snippet
def sequential(torch):
    nn = torch.nn
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1), nn.Flatten(0, 1))
    print(model)
    print(model[0].weight, len(model), model[1], model[-1])
    print(model(torch.tensor([[1.0, 2.0]])))
    print([type(m).__name__ for m in model])


@snippet
def sequential_with_names(torch):
    from collections import OrderedDict

    nn = torch.nn
    model = nn.Sequential(OrderedDict([("hidden", nn.Linear(2, 2)), ("act", nn.Tanh()), ("out", nn.Linear(2, 1))]))
    print(model)
    print(model.hidden.weight.shape, list(model.state_dict()))


@snippet
def sequential_misuse(torch):
    attempt(lambda: torch.nn.Sequential(3))
    attempt(lambda: torch.nn.Sequential(torch.nn.ReLU())[3])
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(4, 1))
    attempt(lambda: model(torch.ones(1, 2)))


@snippet
def module_zero_grad(torch):
    layer = torch.nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    print(layer.weight.grad)
    layer.zero_grad()
    print(layer.weight.grad)
    layer(torch.ones(1, 2)).sum().backward()
    layer.zero_grad(set_to_none=False)
    print(layer.weight.grad)


@snippet
def module_manual_updates(torch):
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
    x = torch.linspace(-1, 1, 5).unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
    y = torch.sin(torch.linspace(-1, 1, 5))
    loss_fn = torch.nn.MSELoss(reduction="sum")
    for t in range(3):
        loss = loss_fn(model(x), y)
        print(t, f"{loss.item():.5f}")
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for param in model.parameters():
                param -= 1e-1 * param.grad
    print(model[0].weight)


@snippet
def state_dict(torch):
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 1)
    state = layer.state_dict()
    print(state)
    other = torch.nn.Linear(2, 1)
    print(other.load_state_dict(state))
    print(other.weight.equal(layer.weight), other.weight is layer.weight, state["weight"].requires_grad)


@snippet
def state_dict_that_does_not_fit(torch):
    layer = torch.nn.Linear(2, 1)
    attempt(lambda: layer.load_state_dict({"weight": torch.zeros(1, 2)}))
    attempt(lambda: layer.load_state_dict({"weight": torch.zeros(1, 3), "bias": torch.zeros(1)}))
    attempt(lambda: layer.load_state_dict({"weight": torch.zeros(1, 2), "bias": torch.zeros(1), "extra": torch.zeros(1)}))
    print(layer.load_state_dict({"weight": torch.zeros(1, 2)}, strict=False))
    print(layer.weight)


@snippet
def train_and_eval(torch):
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.5))
    print(model.training, model)
    model.eval()
    x = torch.ones(1, 2)
    print(model.training, model[1].training, torch.equal(model(x), model[0](x)))
    model.train()
    print(model[1].training)


@snippet
def dropout(torch):
    torch.manual_seed(0)
    drop = torch.nn.Dropout(p=0.5)
    x = torch.ones(8, requires_grad=True)
    y = drop(x)
    print(y)
    y.sum().backward()
    print(x.grad)
    attempt(lambda: torch.nn.Dropout(1.5))


@snippet
def freezing_part_of_a_model(torch):
    net = network(torch)
    for p in net.fc1.parameters():
        p.requires_grad = False
    net(torch.ones(1, 4)).sum().backward()
    print({name: p.grad is not None for name, p in net.named_parameters()})
    net.requires_grad_(True)
    print(net.fc1.weight.requires_grad)


@snippet
def buffers(torch):
    class Running(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.zeros(2))
            self.register_buffer("scratch", torch.zeros(1), persistent=False)
            self.register_parameter("none", None)

        def forward(self, x):
            with torch.no_grad():
                self.mean += 0.5 * (x.mean(0) - self.mean)
            return x - self.mean

    m = Running()
    print(m(torch.tensor([[1.0, 2.0], [3.0, 4.0]])))
    print([n for n, _ in m.named_buffers()], m.state_dict(), list(m.parameters()))


@snippet
def containers(torch):
    nn = torch.nn
    layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(2)])
    layers.append(nn.ReLU())
    print(layers, len(layers), layers[0].in_features)
    choices = nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})
    print(choices, list(choices.keys()), "tanh" in choices, choices["tanh"](torch.zeros(1)))
    params = nn.ParameterList([nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(2))])
    print(params, [p.shape for p in params])


@snippet
def activations(torch):
    nn = torch.nn
    x = torch.tensor([-1.0, 0.0, 2.0])
    for m in (nn.ReLU(), nn.LeakyReLU(0.1), nn.ELU(), nn.GELU(), nn.SiLU(), nn.Sigmoid(), nn.Tanh(), nn.Softplus(), nn.Softmax(dim=0)):
        print(m, m(x))
    print(nn.LogSoftmax(dim=-1), nn.LogSoftmax(dim=-1)(x), nn.Identity()(x), nn.Flatten()(torch.zeros(2, 3, 4)).shape)


@snippet
def embedding(torch):
    torch.manual_seed(0)
    table = torch.nn.Embedding(4, 2)
    print(table)
    y = table(torch.tensor([1, 3, 1]))
    print(y)
    y.sum().backward()
    print(table.weight.grad)
    attempt(lambda: table(torch.tensor([4])))


@snippet
def layer_norm(torch):
    norm = torch.nn.LayerNorm(3)
    print(norm, norm.weight, norm.bias)
    x = torch.tensor([[1.0, 2.0, 4.0]], requires_grad=True)
    y = norm(x)
    print(y)
    (y * torch.tensor([1.0, 0.0, 0.0])).sum().backward()
    print(x.grad, norm.weight.grad)


@snippet
def initialisation(torch):
    nn = torch.nn
    torch.manual_seed(0)
    w = torch.empty(2, 3)
    print(nn.init.xavier_uniform_(w))
    print(nn.init.kaiming_uniform_(w))
    print(nn.init.normal_(w, 0, 0.1))
    print(nn.init.xavier_normal_(w))
    print(nn.init.constant_(w, 0.5))
    print(nn.init.zeros_(w))
    print(nn.init.uniform_(w, -1, 1))

    def init(m):
        if isinstance(m, nn.Linear):
            nn.init.ones_(m.weight)
            m.bias.data.fill_(0.01)

    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    model.apply(init)
    print(model[0].weight, model[0].bias)


@snippet
def casting_a_model(torch):
    model = torch.nn.Linear(2, 1).double()
    print(model.weight.dtype, model(torch.ones(1, 2, dtype=torch.float64)).dtype)
    model.to(torch.float32)
    print(model.weight.dtype, model.weight.is_leaf, isinstance(model.weight, torch.nn.Parameter))


@snippet
def module_hooks(torch):
    layer = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.ones_(layer.weight)
    h = layer.register_forward_hook(lambda m, args, out: print("after", args, out))
    layer.register_forward_pre_hook(lambda m, args: print("before", args))
    layer(torch.tensor([[1.0, 2.0]]))
    h.remove()
    layer(torch.tensor([[3.0, 4.0]]))


@snippet
def sharing_weights(torch):
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = torch.nn.Linear(2, 2, bias=False)
            self.b = self.a

        def forward(self, x):
            return self.b(self.a(x))

    torch.manual_seed(0)
    m = Tied()
    m(torch.ones(1, 2)).sum().backward()
    print(len(list(m.parameters())), list(m.state_dict()), m.a.weight.grad)


@snippet
def module_misuse(torch):
    class NoSuper(torch.nn.Module):
        def __init__(self):
            self.fc = torch.nn.Linear(1, 1)

    class NoForward(torch.nn.Module):
        pass

    attempt(NoSuper)
    attempt(lambda: NoForward()(torch.ones(1)))
    attempt(lambda: torch.nn.Linear(2))
    attempt(lambda: NoForward().register_parameter("p", torch.ones(1)))


@snippet
def dynamic_network(torch):
    class Dynamic(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.input = torch.nn.Linear(2, 2)
            self.middle = torch.nn.Linear(2, 2)
            self.output = torch.nn.Linear(2, 1)

        def forward(self, x, times):
            h = self.input(x).clamp(min=0)
            for _ in range(times):
                h = self.middle(h).clamp(min=0)
            return self.output(h)

    torch.manual_seed(12)
    model = Dynamic()
    for times in (0, 1, 3):
        model.zero_grad()
        y = model(torch.ones(1, 2), times)
        y.sum().backward()
        print(times, y, model.middle.weight.grad is None)


@snippet
def gradient_clipping(torch):
    layer = torch.nn.Linear(2, 1)
    torch.nn.init.ones_(layer.weight)
    (layer(torch.tensor([[3.0, 4.0]])) * 10).sum().backward()
    total = torch.nn.utils.clip_grad_norm_(layer.parameters(), max_norm=1.0)
    print(total)
    print(layer.weight.grad, layer.bias.grad)
    torch.nn.utils.clip_grad_value_(layer.parameters(), 0.5)
    print(layer.weight.grad)
    print(torch.nn.utils.parameters_to_vector(layer.parameters()).shape)
