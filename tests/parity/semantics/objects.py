"""Tensors as Python objects: truth, length, iteration, numbers, text."""

from __future__ import annotations

from typing import Any

from .base import case, fails, leaf, square


@case
def truth(t: Any) -> Any:
    return (
        bool(t.tensor(1.0)),
        bool(t.tensor([[0]])),
        bool(t.tensor(True)),
        fails(lambda: bool(t.tensor([1.0, 2.0]))),
        fails(lambda: bool(t.tensor([]))),
        bool(leaf(t, 1.0)),
    )


@case
def length(t: Any) -> Any:
    return len(t.zeros(3, 2)), len(t.zeros(0)), fails(lambda: len(t.tensor(1.0)))


@case
def iteration(t: Any) -> Any:
    return [row.shape for row in t.zeros(3, 2)], fails(lambda: list(t.tensor(1.0))), [v.item() for v in t.tensor([1, 2])]


@case
def iteration_records(t: Any) -> Any:
    x = leaf(t)
    total: Any = 0
    for i, v in enumerate(x):
        total = total + v * i
    total.backward()
    return x.grad


@case
def unpacking(t: Any) -> Any:
    a, (b, c) = t.tensor([[1, 2], [3, 4]])
    return a, b, c


@case
def item(t: Any) -> Any:
    return (
        t.tensor(3).item(),
        t.tensor([[2.5]]).item(),
        t.tensor(True).item(),
        t.tensor(1 + 2j).item(),
        fails(t.tensor([1.0, 2.0]).item),
        fails(t.tensor([]).item),
        leaf(t, 4.0).item(),
    )


@case
def python_numbers(t: Any) -> Any:
    return (
        float(t.tensor(2)),
        int(t.tensor(2.7)),
        complex(t.tensor(2.0)),
        fails(lambda: float(t.tensor([1.0, 2.0]))),
        [10, 20, 30][t.tensor(1)],
        fails(lambda: [10, 20][t.tensor(1.0)]),
        list(range(t.tensor(3))),
    )


@case
def lists(t: Any) -> Any:
    return t.tensor([[1, 2], [3, 4]]).tolist(), t.tensor(1.5).tolist(), t.tensor([True]).tolist(), t.zeros(2, 0).tolist()


@case
def contains(t: Any) -> Any:
    x = t.tensor([1.0, 2.0])
    return 1.0 in x, 3 in x, t.tensor(2.0) in x, fails(lambda: "a" in x)


@case
def sizes(t: Any) -> Any:
    x = t.zeros(2, 3, 4)
    return (
        x.shape,
        x.size(),
        x.size(1),
        x.size(-1),
        x.dim(),
        x.ndim,
        x.numel(),
        x.nelement(),
        x.stride(),
        x.stride(0),
        x.element_size(),
        str(x.shape),
        x.shape[1:],
        x.shape.numel(),
        fails(lambda: x.size(3)),
    )


@case
def text_of_leaves(t: Any) -> Any:
    return [
        repr(x)
        for x in (
            t.tensor(1.0),
            leaf(t),
            t.tensor([1, 2]),
            t.tensor([1.0], dtype=t.float64),
            t.tensor([True, False]),
            t.tensor([]),
            t.zeros(2, 0),
            t.tensor([1 + 2j]),
            t.tensor([1e-10, 1.0]),
            t.tensor([1e10, 1.0]),
            t.tensor([float("nan"), float("inf"), -1.0]),
        )
    ]


@case
def text_of_results(t: Any) -> Any:
    x = square(t)
    return [
        repr(y)
        for y in (
            x * 2,
            x.sum(),
            x[0],
            x[0, 0],
            x.t(),
            x.view(6),
            x + 1.0,
            x - 1,
            1 - x,
            x / 2,
            2 / x,
            -x,
            x**2,
            2**x,
            x.mean(),
            x.exp(),
            x @ x.t(),
            x.reshape(-1),
            x.double(),
            x.unsqueeze(0).squeeze(0),
            x.clone(),
            x.expand(2, 2, 3)[0],
        )
    ]


@case
def text_after_inplace(t: Any) -> Any:
    x = leaf(t)
    y = x * 2
    y.add_(1)
    base = x * 1
    view = base[:2]
    view.mul_(2)
    return str(y), str(base), str(view), str(view.detach())


@case
def text_of_several_outputs(t: Any) -> Any:
    x = square(t)
    return repr(x.max(1)), repr(x.detach().sort(0)), repr(x.unbind(0)), str(x.max(1).values)


@case
def formatting(t: Any) -> Any:
    return f"{t.tensor(3.14159):.2f}", f"{t.tensor([1.0, 2.0])}", f"{t.tensor(7)}", fails(lambda: f"{t.tensor([1.0]):.2f}")


@case
def names_of_dtypes(t: Any) -> Any:
    return [repr(d) for d in (t.float32, t.float64, t.int64, t.bool, t.complex64, t.float, t.long, t.half)], t.float is t.float32


@case
def equality_is_elementwise(t: Any) -> Any:
    x = t.tensor([1, 2])
    return x == t.tensor([1, 3]), x == 1, x != 1, fails(lambda: x == t.tensor([1, 2, 3])), t.equal(x, t.tensor([1, 2]))


@case
def equality_of_whole_tensors(t: Any) -> Any:
    x, nan = t.tensor([1.0, 2.0]), t.tensor([float("nan")])
    return (
        t.equal(x, t.tensor([1, 2])),
        x.equal(t.ones(3)),
        nan.equal(nan),
        fails(lambda: t.equal(x, 3)),
        t.allclose(x, x + 1e-9),
        x.allclose(t.ones(2, 1)),
        t.allclose(nan, nan),
        t.allclose(nan, nan, equal_nan=True),
        fails(lambda: t.allclose(x, t.tensor([1, 2]))),
        fails(lambda: t.allclose(x, 1.0)),
        fails(lambda: t.allclose(x, t.ones(3))),
    )


@case
def is_tensor(t: Any) -> Any:
    return t.is_tensor(t.ones(1)), t.is_tensor([1.0]), t.is_floating_point(t.ones(1)), t.is_complex(t.ones(1)), t.numel(t.ones(2, 3))


@case
def reflected_operators(t: Any) -> Any:
    x = leaf(t)
    results = [2 + x, 2 - x, 2 * x, 2 / x, 2**x, 7 // x.detach(), 7 % x.detach(), 1.5 - x, True + x]
    return [(r, None if r.grad_fn is None else r.grad_fn.name()) for r in results]


@case
def operators_refuse_foreign_objects(t: Any) -> Any:
    x = leaf(t)
    y = x * 1

    def augment() -> None:
        nonlocal y
        y += "a"

    return (
        fails(lambda: x + "a"),
        fails(lambda: "a" - x),
        fails(lambda: x * None),
        fails(lambda: x - [1, 2, 3]),
        fails(lambda: x ** "a"),
        fails(lambda: "a" / x),
        fails(lambda: x @ 2),
        fails(lambda: x < "a"),
        x == "a",
        x != None,  # noqa: E711 - the operator itself is at stake
        fails(augment),
    )


@case
def calls_with_wrong_arguments(t: Any) -> Any:
    x = leaf(t)
    return fails(lambda: t.sin()), fails(lambda: t.exp("a")), fails(lambda: x.sum(5)), fails(lambda: x.view(2, 2)), fails(lambda: x[5])


@case
def contiguity(t: Any) -> Any:
    x = t.zeros(2, 3)
    return (
        x.is_contiguous(),
        x.t().is_contiguous(),
        x.t().contiguous().is_contiguous(),
        x.t().stride(),
        x[:, 1].stride(),
        x.data_ptr() == x.view(6).data_ptr(),
    )
