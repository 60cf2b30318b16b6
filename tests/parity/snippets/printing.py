"""What tensors look like."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def print_integers_of_different_widths(torch):
    print(torch.tensor([1, -20, 300]))
    print(torch.tensor([[1, 200], [-3, 4]]))
    print(torch.tensor(-7))


@snippet
def print_whole_floats(torch):
    print(torch.tensor([1.0, 2.0, 3.0]))
    print(torch.tensor([1.0, 2.5]))
    print(torch.tensor([100.0, 2.0]))
    print(torch.tensor(5.0), torch.tensor(5.25))


@snippet
def print_scientific_notation(torch):
    print(torch.tensor([1e-10, 1.0]))
    print(torch.tensor([1e10, 1.0]))
    print(torch.tensor([1e-5]))
    print(torch.tensor([123456789.0]))
    print(torch.tensor([0.0001, 1.0]))
    print(torch.tensor([1.0, 1001.0, 0.5]))
    print(torch.tensor(1e-8))


@snippet
def print_nan_and_infinity(torch):
    print(torch.tensor([float("nan"), float("inf"), -float("inf"), 1.0]))
    print(torch.tensor([torch.inf, torch.nan]))
    print(torch.tensor(float("nan")))


@snippet
def print_other_dtypes(torch):
    print(torch.tensor([1.0], dtype=torch.float64))
    print(torch.tensor([1], dtype=torch.int32))
    print(torch.tensor([1.0, 0.1], dtype=torch.float16))
    print(torch.tensor([1 + 1j]))
    print(torch.tensor([0.5 + 1.25j], dtype=torch.complex128))
    print(torch.tensor([True]))
    print(torch.tensor([], dtype=torch.int64))


@snippet
def print_summarised_vector(torch):
    print(torch.arange(1001))
    print(torch.arange(1000).shape)
    print(torch.zeros(2000, requires_grad=True))


@snippet
def print_summarised_matrix(torch):
    print(torch.arange(10000).view(100, 100))
    print(torch.ones(3, 500))


@snippet
def print_long_rows(torch):
    print(torch.arange(30))
    print(torch.linspace(0, 1, 30))
    print(torch.arange(60).view(2, 30) * 1.5)


@snippet
def print_three_dimensions(torch):
    print(torch.arange(24).view(2, 3, 4))
    print(torch.arange(8.0).view(2, 2, 2).requires_grad_())


@snippet
def print_requires_grad_suffix(torch):
    x = torch.ones(2, 2, requires_grad=True)
    print(x)
    print(x.detach())
    print(torch.tensor(1.0, requires_grad=True))
    print(torch.tensor([1.0], dtype=torch.float64, requires_grad=True))


@snippet
def print_grad_fn_suffix(torch):
    x = torch.ones(2, 2, requires_grad=True)
    y = x + 2
    z = y * y * 3
    out = z.mean()
    print(y)
    print(z, out)
    print(z.double())


@snippet
def print_long_lines_break_before_suffix(torch):
    x = torch.linspace(-1, 1, 12, requires_grad=True)
    print(x * 0.1)
    print((x * 0.123).double())
    print(torch.tensor([[0.1] * 11], requires_grad=True))


@snippet
def print_grad_fn_of_common_ops(torch):
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    for y in (x + 1, x - 1, x * 2, x / 2, x**2, 2**x, -x, x @ x, x.t(), x.sum(), x.mean(), x.exp(), x.log(), x.relu(), x.sigmoid()):
        print(y)


@snippet
def print_grad_fn_of_reshaping_ops(torch):
    x = torch.arange(6.0).view(2, 3).requires_grad_()
    for y in (x.view(-1), x.reshape(3, 2), x[0], x[:, 1], x.unsqueeze(0), x.permute(1, 0), x.expand(2, 2, 3)[0], x.flatten()):
        print(y)


@snippet
def print_options(torch):
    x = torch.tensor([3.14159265, 1234.5, 1e-6])
    torch.set_printoptions(precision=2)
    print(x)
    torch.set_printoptions(precision=8, sci_mode=False)
    print(x)
    torch.set_printoptions(sci_mode=True)
    print(x)
    torch.set_printoptions(profile="default", threshold=5, edgeitems=1)
    print(torch.arange(20))


@snippet
def print_size_and_dtype(torch):
    x = torch.zeros(2, 3)
    print(x.shape)
    print(x.shape[0], x.shape[-1], list(x.shape), tuple(x.shape))
    print(torch.Size([]), torch.Size([1]))
    print(repr(x.dtype), str(torch.int64), torch.long)
    print(f"{x.shape}", x.stride())


@snippet
def print_formatted_scalars(torch):
    loss = torch.tensor(0.123456)
    print(f"loss {loss:.4f}")
    print(f"{loss.item():.3e}, {loss}")
    print(f"{torch.tensor(7):03d} {torch.tensor(2.5):>8.2f}")
    print("%.2f" % torch.tensor(1.239))  # noqa: UP031 - the old way is in use
    print("{:.1f}".format(torch.tensor(2.26)))  # noqa: UP032
    attempt(lambda: f"{torch.tensor([1.0, 2.0]):.2f}")


@snippet
def print_formatted_results(torch):
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 3
    print(f"{x}", f"{y}")
    print(f"{x:.2f}", f"{y:.2f}")
    print("y is {} and x is {!r}".format(y, x))  # noqa: UP032


@snippet
def print_list_of_tensors(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    print([x, x * 2])
    print({"x": x.detach(), "n": torch.tensor(3)})
    print((x.sum(),))


@snippet
def print_named_results(torch):
    x = torch.tensor([[1.0, 5.0, 3.0], [9.0, 2.0, 4.0]])
    print(x.max(dim=1))
    print(x.min(1).indices)
    print(torch.sort(x, descending=True))
    print(x.topk(2))
    values, indices = x.max(0)
    print(values, indices)


@snippet
def print_modules_of_numbers(torch):
    print(torch.pi, torch.e, torch.inf)
    print(torch.finfo(torch.float32).eps, torch.iinfo(torch.int8).max)
    print(torch.float is torch.float32, torch.double, torch.half)


@snippet
def print_mixed_magnitudes(torch):
    print(torch.tensor([[1000.0, 0.001], [1.0, -1.0]]))
    print(torch.tensor([99999.0, 1.5]))
    print(torch.tensor([0.1, 0.01, 0.001]))
    print(torch.tensor([-1e-3, 1e3]))
    print(torch.tensor([2.0**24, 2.0**25 + 4]))
    print(torch.tensor([0.1, 0.2], dtype=torch.float64) * 3)


@snippet
def print_limits_of_dtypes(torch):
    print(
        torch.finfo(torch.float64), torch.finfo(), torch.finfo(torch.float16).max, torch.iinfo(torch.int32), torch.iinfo(torch.uint8).bits
    )
    limits = torch.finfo(torch.float32)
    print(
        limits.min,
        limits.tiny,
        limits.resolution,
        limits.dtype,
        limits.bits,
        type(limits.max).__name__,
        limits == torch.finfo(torch.float32),
    )
    attempt(lambda: torch.finfo(torch.int32))
    attempt(lambda: torch.iinfo(torch.float32))
    print(torch.can_cast(torch.float32, torch.int64), torch.can_cast(torch.int64, torch.float16), torch.can_cast(torch.int8, torch.bool))


@snippet
def print_state_of_module(torch):
    layer = torch.nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0]]))
        layer.bias.fill_(0.5)
    print(layer.state_dict())
