"""From tensors to Python's numbers, lists and arrays, and the questions that Python asks of objects."""
# mypy: ignore-errors

from __future__ import annotations

import copy
import math

import numpy as np

from .base import attempt, snippet


@snippet
def item_of_single_elements(torch):
    print(torch.tensor(3).item(), torch.tensor([[2.5]]).item(), torch.tensor(True).item(), torch.tensor(1 + 2j).item())
    attempt(torch.tensor([1.0, 2.0]).item)
    attempt(torch.tensor([]).item)
    return torch.tensor(0.1).item(), torch.tensor(0.1, dtype=torch.float64).item()


@snippet
def item_of_result(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    loss = (x * x).sum()
    print(loss.item(), type(loss.item()).__name__)


@snippet
def tolist_of_shapes(torch):
    print(torch.tensor([[1, 2], [3, 4]]).tolist(), torch.tensor(1.5).tolist(), torch.zeros(2, 0).tolist(), torch.tensor([True]).tolist())
    return torch.tensor([0.1, 0.2]).tolist(), torch.tensor([1.0], requires_grad=True).tolist()


@snippet
def numpy_of_tensors(torch):
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    n = a.numpy()
    print(n, n.dtype, n.shape, type(n).__name__)
    print(torch.tensor([1, 2]).numpy().dtype, torch.tensor([True]).numpy(), torch.tensor(2.0).numpy())
    return n, torch.tensor([1], dtype=torch.int8).numpy()


@snippet
def numpy_of_tensor_that_requires_grad(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    attempt(x.numpy)
    attempt(lambda: np.asarray(x))
    print(x.detach().numpy(), (x * 2).detach().cpu().numpy(), x.numpy(force=True))


@snippet
def array_protocol(torch):
    x = torch.tensor([1.0, 4.0])
    print(np.array(x), np.sqrt(x.numpy()), np.asarray(x, dtype=np.float64).dtype)
    print(np.mean(x.numpy()), np.array([x.numpy(), x.numpy()]).shape)
    print(np.array(x).sum(), np.allclose(x, [1, 4]))


@snippet
def numpy_round_trip(torch):
    a = np.linspace(0, 1, 5)
    t = torch.from_numpy(a)
    back = (t * 2).numpy()
    print(t, back)
    attempt(lambda: torch.from_numpy([1, 2]))
    attempt(lambda: torch.from_numpy(np.array(["a"])))


@snippet
def truth_of_tensors(torch):
    print(bool(torch.tensor(1.0)), bool(torch.tensor([[0]])), bool(torch.tensor(True)), not torch.tensor(0))
    attempt(lambda: bool(torch.tensor([1.0, 2.0])))
    attempt(lambda: bool(torch.tensor([])))
    x = torch.tensor(3.0, requires_grad=True)
    if x > 2 and x < 4:
        print("between")
    print("yes" if (torch.tensor([1, 2]) == torch.tensor([1, 2])).all() else "no")


@snippet
def length_and_iteration(torch):
    x = torch.tensor([[1, 2], [3, 4], [5, 6]])
    print(len(x), [row.sum().item() for row in x], list(x[0]), max(x[:, 0]), sum(x[:, 1]))
    for i, (a, b) in enumerate(x):
        print(i, a, b)
    attempt(lambda: len(torch.tensor(1)))
    attempt(lambda: list(torch.tensor(1)))


@snippet
def zip_reversed_and_unpacking(torch):
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    print([(a * b).item() for a, b in zip(x, y, strict=True)], sorted(y, reverse=True))
    print(list(reversed(x)))
    a, b = x
    print(a, b)


@snippet
def python_numbers(torch):
    print(float(torch.tensor(2)), int(torch.tensor(2.7)), complex(torch.tensor(2.0)), round(torch.tensor(2.5).item()))
    print(range(torch.tensor(3)), [10, 20, 30][torch.tensor(1)], math.sqrt(torch.tensor(4.0)), abs(torch.tensor(-3)))
    attempt(lambda: float(torch.tensor([1.0, 2.0])))
    attempt(lambda: int(torch.tensor([1, 2])))
    attempt(lambda: [10, 20][torch.tensor(1.0)])
    attempt(lambda: float(torch.tensor(1j)))


@snippet
def float_of_tensor_that_requires_grad(torch):
    x = torch.tensor(2.0, requires_grad=True)
    print(float(x), int(x), x.item(), math.floor(x.item()))
    return float(x * 2)


@snippet
def membership(torch):
    x = torch.tensor([1.0, 2.0])
    print(1.0 in x, 3 in x, torch.tensor(2.0) in x)
    attempt(lambda: "a" in x)


@snippet
def tensors_as_dictionary_keys(torch):
    x, y = torch.tensor([1.0]), torch.tensor([1.0])
    d = {x: "x", y: "y"}
    print(d[x], d[y], len(d), hash(x) == hash(x), len({x, y, x}))


@snippet
def equality(torch):
    x = torch.tensor([1, 2])
    print(x == torch.tensor([1, 3]), x == 1, x != 1, x == "a", x is None, x == None)  # noqa: E711 - the operator itself is at stake
    print(torch.equal(x, torch.tensor([1, 2])), torch.allclose(torch.tensor([1.0]), torch.tensor([1.0 + 1e-9])))
    attempt(lambda: x == torch.tensor([1, 2, 3]))


@snippet
def types_and_attributes(torch):
    x = torch.tensor([1.0])
    print(isinstance(x, torch.Tensor), torch.is_tensor(x), torch.is_tensor([1]), type(x).__name__)
    print(x.device, x.layout, x.is_cuda, x.is_sparse, x.is_floating_point(), x.is_complex(), x.itemsize, x.nbytes, x.ndim)
    attempt(lambda: x.shapes)


@snippet
def device_moves(torch):
    x = torch.tensor([1.0])
    print(x.cpu() is x, x.to("cpu") is x, x.device, torch.device("cpu"), x.to(torch.device("cpu"), torch.float64))
    print(torch.cuda.is_available(), torch.zeros(1, device="cpu"))


@snippet
def numbers_of_numpy_in_arithmetic(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * np.float64(2.0) + np.int32(1)
    print(y)
    y.sum().backward()
    print(x.grad)


@snippet
def copies(torch):
    x = torch.tensor([1.0, 2.0])
    y = copy.copy(x)
    z = copy.deepcopy(x)
    x[0] = 9
    print(y, z)


@snippet
def string_of_tensor(torch):
    x = torch.tensor([1.5, 2.5])
    print(str(x), repr(x), f"{x}", "%s" % x, sep="\n")  # noqa: UP031 - the old way is in use
    return str(x), len(str(torch.zeros(10, 10)))


@snippet
def statistics_of_lists_of_losses(torch):
    losses = []
    w = torch.tensor(1.0, requires_grad=True)
    for i in range(3):
        loss = (w - i) ** 2
        losses.append(loss.item())
    print(losses, sum(losses) / len(losses))
    print(torch.tensor(losses).mean(), np.mean(losses))
    print(torch.stack([(w - i) ** 2 for i in range(3)]).mean())


@snippet
def arrays_of_other_kinds(torch):
    attempt(lambda: torch.from_numpy(np.array(["a"])))
    attempt(lambda: torch.tensor(np.array([None])))
    attempt(lambda: torch.as_tensor(np.array([b"a"])))
    attempt(lambda: torch.from_numpy(np.zeros(2, ">f4")))
    print(torch.tensor([1.5], dtype=float), torch.zeros(1, dtype=complex), torch.zeros(1, dtype=int))


@snippet
def numbers_of_tensors_that_require_grad(torch):
    x = torch.tensor(2.0, requires_grad=True)
    print(float(x), complex(x), math.sqrt(x), int(x), bool(x), f"{x:.1f}")
    with torch.no_grad():
        print(float(x))
