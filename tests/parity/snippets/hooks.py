"""Hooks on tensors, on nodes of the graph, and after accumulation."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def hook_prints_gradient(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.register_hook(lambda g: print("gradient of y:", g))
    (y**2).sum().backward()
    print(x.grad)


@snippet
def hook_doubles_gradient(torch):
    v = torch.tensor([0.0, 0.0, 0.0], requires_grad=True)
    h = v.register_hook(lambda grad: grad * 2)
    v.backward(torch.tensor([1.0, 2.0, 3.0]))
    print(v.grad)
    h.remove()
    v.backward(torch.tensor([1.0, 2.0, 3.0]))
    print(v.grad)


@snippet
def hook_collects_gradients_of_intermediates(torch):
    grads = {}

    def save(name):
        def hook(grad):
            grads[name] = grad

        return hook

    x = torch.tensor(2.0, requires_grad=True)
    y = x**2
    z = y.log()
    y.register_hook(save("y"))
    z.register_hook(save("z"))
    (z * 3).backward()
    print(grads)
    print(x.grad)


@snippet
def hook_clips_gradient(torch):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x.register_hook(lambda g: g.clamp(max=5))
    (x**3).sum().backward()
    print(x.grad)


@snippet
def hook_order(torch):
    x = torch.tensor(1.0, requires_grad=True)
    x.register_hook(lambda g: print("first", g))
    x.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: print("third", g))
    (x * 5).backward()
    print(x.grad)


@snippet
def hook_sees_gradients_in_reverse_order_of_operations(torch):
    x = torch.tensor(1.0, requires_grad=True)
    a = x * 2
    b = a * 3
    c = b * 4
    for name, t in (("a", a), ("b", b), ("c", c), ("x", x)):
        t.register_hook(lambda g, name=name: print(name, g))
    c.backward()


@snippet
def hook_with_python_control_flow(torch):
    def cautious(grad):
        if grad.abs().max() > 10:
            print("clipped", grad)
            return grad / grad.abs().max() * 10
        print("kept", grad)
        return None

    for scale in (1.0, 100.0):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        y = x * 1
        y.register_hook(cautious)
        (y * scale).sum().backward()
        print(x.grad)


@snippet
def hook_that_raises(torch):
    x = torch.tensor(1.0, requires_grad=True)

    def broken(grad):
        raise ValueError("no gradients today")

    x.register_hook(broken)
    attempt((x * 2).backward)
    print(x.grad)


@snippet
def hook_that_returns_wrong_things(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x.register_hook(lambda g: g[0])
    attempt((x * 2).sum().backward)
    h.remove()
    x.register_hook(lambda g: "gradient")
    attempt((x * 2).sum().backward)


@snippet
def hook_on_tensor_without_grad_refused(torch):
    attempt(lambda: torch.ones(2).register_hook(print))


@snippet
def hook_not_called_when_not_reached(torch):
    x = torch.tensor(1.0, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: print("reached"))
    (x * 3).backward()
    print(x.grad)


@snippet
def hook_in_grad_call(torch):
    x = torch.tensor(3.0, requires_grad=True)
    y = x**2
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: print("of x:", g))
    print(torch.autograd.grad(y, x))


@snippet
def hook_under_create_graph(torch):
    x = torch.tensor(2.0, requires_grad=True)
    y = x**3
    y.register_hook(lambda g: g * 2)
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    print(g)
    (h,) = torch.autograd.grad(g, x)
    print(h)


@snippet
def hook_that_computes_with_other_tensors(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    scale = torch.tensor([10.0, 100.0])
    y = x * 2
    y.register_hook(lambda g: g * scale + y.detach())
    y.sum().backward()
    print(x.grad)


@snippet
def hook_removed_inside_itself(torch):
    x = torch.tensor(1.0, requires_grad=True)
    handles = []

    def once(grad):
        print("once", grad)
        handles[0].remove()

    handles.append(x.register_hook(once))
    (x * 2).backward()
    (x * 2).backward()
    print(x.grad)


@snippet
def hook_handle_as_context(torch):
    x = torch.tensor(1.0, requires_grad=True)
    with x.register_hook(lambda g: g * 100):
        (x * 2).backward()
    (x * 2).backward()
    print(x.grad)


@snippet
def post_accumulate_hook(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda p: print("accumulated", p.grad, p is x))
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    attempt(lambda: (x * 2).register_post_accumulate_grad_hook(print))


@snippet
def post_accumulate_hook_steps_and_frees(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def step(p):
        with torch.no_grad():
            p -= 0.5 * p.grad
        p.grad = None

    x.register_post_accumulate_grad_hook(step)
    for _ in range(2):
        (x * x).sum().backward()
        print(x, x.grad)


@snippet
def node_hook(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.grad_fn.register_hook(lambda grad_inputs, grad_outputs: print("node", grad_inputs, grad_outputs))
    y.sum().backward()
    print(x.grad)


@snippet
def node_hook_replaces_gradients(torch):
    a = torch.tensor(2.0, requires_grad=True)
    b = torch.tensor(3.0, requires_grad=True)
    y = a * b
    y.grad_fn.register_hook(lambda gi, go: (gi[0] * 10, gi[1] * 100))
    y.backward()
    print(a.grad, b.grad)


@snippet
def node_prehook(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    y.grad_fn.register_prehook(lambda grad_outputs: (grad_outputs[0] * 2,))
    y.sum().backward()
    print(x.grad)


@snippet
def hook_and_retained_grad(torch):
    x = torch.tensor(1.0, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    (y * 3).backward()
    print(y.grad, x.grad)


@snippet
def hook_on_every_weight_of_module(torch):
    layer = torch.nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, -1.0]]))
        layer.bias.zero_()
    for name, p in layer.named_parameters():
        p.register_hook(lambda g, name=name: print(name, g))
    layer(torch.tensor([[1.0, 2.0]])).sum().backward()
    print(layer.weight.grad, layer.bias.grad)


@snippet
def a_hook_after_accumulation_returns_nothing(torch):
    x = torch.ones(2, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda t: 5)
    attempt(lambda: (x * 2).sum().backward())
