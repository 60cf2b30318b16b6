"""``grad_fn`` and the graph that it leads to."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


def show(node, depth=0):
    """Prints a node and those that it leads to."""
    print("  " * depth + (node.name().removeprefix("torch::autograd::") if node is not None else "None"))
    if node is not None:
        for following, _ in node.next_functions:
            show(following, depth + 1)


@snippet
def graph_steps_of_mean(torch):
    x = torch.ones(2, 2, requires_grad=True)
    y = x + 2
    out = (y * y * 3).mean()
    print(y.grad_fn)
    print(out.grad_fn)
    print(out.grad_fn.next_functions[0][0])
    print(out.grad_fn.next_functions[0][0].next_functions[0][0].next_functions)


@snippet
def graph_of_loss(torch):
    x = torch.ones(5)
    w = torch.ones(5, 3, requires_grad=True)
    b = torch.ones(3, requires_grad=True)
    z = torch.matmul(x, w) + b
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, torch.zeros(3))
    show(loss.grad_fn)


@snippet
def graph_of_network(torch):
    F = torch.nn.functional
    x = torch.ones(2, 3)
    w1, w2 = torch.ones(3, 4, requires_grad=True), torch.ones(4, 1, requires_grad=True)
    show((F.relu(x @ w1) @ w2).sigmoid().mean().grad_fn)


@snippet
def graph_of_linear_layers(torch):
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1))
    show(torch.nn.MSELoss()(model(torch.ones(4, 3)), torch.zeros(4, 1)).grad_fn)


@snippet
def graph_leaf_variable(torch):
    x = torch.tensor([1.0], requires_grad=True)
    y = x * 2
    accumulate = y.grad_fn.next_functions[0][0]
    print(accumulate.name())
    print(accumulate.variable is x)
    print(x.grad_fn)


@snippet
def graph_constants_are_none(torch):
    x = torch.tensor(1.0, requires_grad=True)
    c = torch.tensor(2.0)
    show((x * c + 1 - c).grad_fn)
    print((x * c).grad_fn.next_functions[1])


@snippet
def graph_shared_node(torch):
    x = torch.tensor(1.0, requires_grad=True)
    y = x.exp()
    z = y * y
    (a, _), (b, _) = z.grad_fn.next_functions
    print(a is b, a is y.grad_fn, a == b)


@snippet
def graph_outputs_are_numbered(torch):
    x = torch.arange(4.0, requires_grad=True)
    a, b = x.chunk(2)
    print(a.grad_fn.name(), a.output_nr, b.output_nr)
    print((a + b).grad_fn.next_functions[1][1])
    values, indices = x.max(0)
    print(values.grad_fn.name(), indices.grad_fn)


@snippet
def graph_of_second_order(torch):
    x = torch.tensor(2.0, requires_grad=True)
    (g,) = torch.autograd.grad(x**3, x, create_graph=True)
    print(g)
    show(g.grad_fn)


@snippet
def graph_names_of_products(torch):
    m = torch.ones(2, 2, requires_grad=True)
    v = torch.ones(2, requires_grad=True)
    batch = torch.ones(3, 2, 2, requires_grad=True)
    for y in (m @ m, m @ v, v @ v, batch @ batch, batch @ v, torch.addmm(m, m, m), torch.einsum("ij,jk->ik", m, m), torch.outer(v, v)):
        print(y.grad_fn.name(), [type(n).__name__ for n, _ in y.grad_fn.next_functions if n is not None])


@snippet
def graph_names_of_reductions(torch):
    x = torch.rand(2, 3, requires_grad=True)
    for y in (x.sum(), x.sum(1), x.mean(), x.mean(0), x.prod(), x.max(), x.amax(1), x.norm(), x.std(), x.var(), x.logsumexp(1)):
        print(y.grad_fn.name(), end=" ")
    print(x.cumsum(0).grad_fn.name(), x.softmax(1).grad_fn.name(), x.log_softmax(1).grad_fn.name(), x.median().grad_fn.name())


@snippet
def graph_names_of_joining(torch):
    x = torch.ones(2, requires_grad=True)
    print(torch.cat([x, x]).grad_fn.name(), torch.stack([x, x]).grad_fn.name(), torch.where(x > 0, x, 0.0).grad_fn.name())
    print(torch.maximum(x, x).grad_fn.name(), torch.cat([x, torch.ones(1)]).grad_fn.next_functions)
    attempt(lambda: x.grad_fn.name())


@snippet
def graph_after_inplace(torch):
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y += 1
    y[0] = 5
    show(y.grad_fn)


@snippet
def graph_walked_by_hand(torch):
    x = torch.tensor(3.0, requires_grad=True)
    y = x**2
    node = y.grad_fn
    print(node.name(), type(node).__name__, [type(n).__name__ for n, _ in node.next_functions], node.next_functions[0][0].variable is x)


@snippet
def graph_metadata(torch):
    x = torch.tensor(3.0, requires_grad=True)
    y = x * 2
    y.grad_fn.metadata["label"] = "doubled"
    print(y.grad_fn.metadata)
