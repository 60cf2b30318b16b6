"""Tensors out of numbers, lists and arrays, and tensors that are filled."""
# mypy: ignore-errors

from __future__ import annotations

import numpy as np

from .base import attempt, snippet


@snippet
def create_from_list(torch):
    data = [[1, 2], [3, 4]]
    x = torch.tensor(data)
    print(x)
    print(x.dtype, x.shape, x.size(), x.dim(), x.numel())
    return x


@snippet
def create_floats(torch):
    x = torch.tensor([1.0, 2.5, -3.0])
    print(x, x.dtype)
    return x, torch.tensor(2.0), torch.tensor([[0.1]])


@snippet
def create_bools_and_mixed_numbers(torch):
    print(torch.tensor([True, False]))
    print(torch.tensor([1, 2.5]))
    print(torch.tensor([True, 2]))
    print(torch.tensor([1 + 2j, 3]))


@snippet
def create_with_every_dtype(torch):
    for dtype in (
        torch.float16,
        torch.float32,
        torch.float64,
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
        torch.bool,
        torch.complex64,
        torch.complex128,
    ):
        x = torch.tensor([0, 1, 2], dtype=dtype)
        print(dtype, x, x.element_size(), dtype.is_floating_point, dtype.is_complex)


@snippet
def create_zeros_ones_full(torch):
    print(torch.zeros(2, 3))
    print(torch.ones((2,)))
    print(torch.full((2, 2), 7))
    print(torch.full((2,), 1.5))
    print(torch.full((2,), True))
    print(torch.zeros(2, dtype=torch.int64))
    print(torch.ones(2, 2, requires_grad=True))


@snippet
def create_like(torch):
    x = torch.tensor([[1, 2], [3, 4]])
    print(torch.zeros_like(x))
    print(torch.ones_like(x, dtype=torch.float32))
    print(torch.full_like(x, 9))
    print(torch.ones_like(x.float(), requires_grad=True))
    print(x.new_zeros(3), x.new_ones(2, 2), x.new_tensor([1.7]), x.new_full((2,), 5))
    return torch.empty_like(x).shape, x.new_empty(4).shape


@snippet
def create_ranges(torch):
    print(torch.arange(5))
    print(torch.arange(1, 10, 3))
    print(torch.arange(0.0, 1.0, 0.25))
    print(torch.linspace(0, 1, 5))
    print(torch.linspace(-3, 3, steps=7, dtype=torch.float64))
    print(torch.logspace(0, 2, 3))
    print(torch.arange(3, 0, -1))
    return torch.arange(3, dtype=torch.float32, requires_grad=True)


@snippet
def create_eye_and_diagonals(torch):
    print(torch.eye(3))
    print(torch.eye(2, 3, dtype=torch.int64))
    print(torch.diag(torch.tensor([1.0, 2.0])))
    print(torch.tril(torch.ones(3, 3)))
    print(torch.triu(torch.ones(3, 3), diagonal=1))


@snippet
def create_from_numpy(torch):
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    x = torch.from_numpy(a)
    y = torch.tensor(np.float32([1, 2]))
    z = torch.as_tensor(np.arange(3))
    print(x, x.dtype)
    print(y, y.dtype)
    print(z, z.dtype)
    print(torch.tensor(np.float64(3.5)), torch.tensor(np.int32(3)))
    return x, y, z


@snippet
def create_requires_grad(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.ones(3, requires_grad=True)
    print(x)
    print(x.requires_grad, x.is_leaf, x.grad, x.grad_fn)
    print(torch.zeros(2).requires_grad)
    return x, w


@snippet
def create_integer_that_requires_grad(torch):
    attempt(lambda: torch.tensor([1, 2], requires_grad=True))
    attempt(lambda: torch.ones(2, dtype=torch.int64, requires_grad=True))
    attempt(lambda: torch.tensor([1, 2]).requires_grad_())
    attempt(lambda: torch.tensor([True]).requires_grad_(True))


@snippet
def create_ragged_list(torch):
    attempt(lambda: torch.tensor([[1, 2], [3]]))
    attempt(lambda: torch.tensor([1, "a"]))
    attempt(lambda: torch.tensor("text"))
    attempt(lambda: torch.tensor(None))


@snippet
def create_with_default_dtype(torch):
    print(torch.get_default_dtype())
    torch.set_default_dtype(torch.float64)
    print(torch.tensor([1.0]), torch.tensor([1.0]).dtype)
    print(torch.tensor([1.0], dtype=torch.float32))
    print(torch.zeros(2).dtype, torch.arange(3).dtype, torch.ones(1).sin().dtype)


@snippet
def create_from_tensors(torch):
    a = torch.tensor([1, 2])
    b = torch.tensor([3, 4])
    print(torch.cat([a, b]))
    print(torch.stack([a, b]))
    print(torch.stack((a, b), dim=1))
    print(torch.hstack((a, b)), torch.vstack((a, b)))
    print(torch.cat([a.view(1, 2), torch.tensor([[9, 9], [8, 8]])], dim=0))


@snippet
def create_copy_of_tensor_warns(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = torch.tensor(x)
    print(y)
    return y


@snippet
def create_empty_tensors(torch):
    x = torch.tensor([])
    print(x, x.shape, x.numel())
    print(torch.zeros(2, 0), torch.zeros(0, 3).shape)
    print(torch.zeros(0).sum(), torch.ones(0).prod())


@snippet
def create_grids(torch):
    x, y = torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij")
    print(x)
    print(y)


@snippet
def create_scalar_dimensions(torch):
    x = torch.tensor(3.14)
    print(x, x.shape, x.dim(), x.ndim, x.item())
    attempt(lambda: len(x))
    attempt(lambda: x[0])
    return x.item()


@snippet
def create_and_cast(torch):
    x = torch.tensor([1.7, -1.7, 0.0])
    print(x.int(), x.long(), x.bool(), x.double(), x.half())
    print(x.to(torch.int8), x.type(torch.float64), x.to(dtype=torch.complex64))
    print(x.type(), x.int().type())
    print(torch.tensor([300]).to(torch.uint8))
    return x.float() is x, x.to(torch.float32) is x


@snippet
def create_complex(torch):
    z = torch.tensor([3 + 4j, 1 - 1j])
    print(z, z.dtype)
    print(z.real, z.imag, z.abs(), z.conj())
    print(torch.complex(torch.tensor([1.0]), torch.tensor([2.0])))
    print(torch.view_as_real(z))


@snippet
def constructors(torch):
    print(torch.Tensor([1, 2]), torch.Tensor([[1, 2], [3, 4]]), torch.Tensor((2, 3)))
    print(torch.Tensor(2, 3).shape, torch.Tensor().shape, torch.Tensor(torch.Size([2, 1])).shape)
    print(torch.FloatTensor([1]), torch.DoubleTensor([1.5]), torch.LongTensor([1.5]), torch.BoolTensor([0, 1]))
    print(torch.HalfTensor([1]), torch.IntTensor(2, 0), torch.ByteTensor([7]))
    attempt(lambda: torch.Tensor("a"))
    attempt(lambda: torch.Tensor(1.5))
    attempt(lambda: torch.Tensor(True))
    attempt(lambda: torch.Tensor(2, -1))
    x = torch.tensor([1.0])
    torch.Tensor(x)[0] = 5
    print(x, isinstance(x, torch.Tensor))


@snippet
def copies_by_pickle(torch):
    import copy
    import pickle

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    x.grad = torch.ones(2)
    for tensor in (x, x * 2, torch.tensor([[True, False]]), torch.tensor(3), torch.zeros(0, 2)):
        again = pickle.loads(pickle.dumps(tensor))
        print(again, again.is_leaf, again.grad)
    shallow = copy.copy(x)
    with torch.no_grad():
        shallow[0] = 7
    print(x, shallow, shallow.grad)


@snippet
def dtypes_of_numbers_with_a_dtype(torch):
    import numpy as np

    for data in (
        [np.float64(1.5)],
        [np.float64(1.5), 1],
        [np.int32(1)],
        [np.int32(1), 2],
        [np.int32(1), 2.5],
        [np.float32(1), np.float64(2)],
        (np.float16(1),),
        [np.complex64(1)],
        [np.bool_(True)],
        [torch.tensor(1.0, dtype=torch.float64), 2],
    ):
        print(torch.tensor(data).dtype)
    attempt(lambda: torch.tensor([2**70]))


@snippet
def flags_are_booleans(torch):
    attempt(lambda: torch.tensor(1.0, requires_grad="a"))
    attempt(lambda: torch.ones(2).requires_grad_(1))
    attempt(lambda: setattr(torch.ones(2), "requires_grad", "a"))


@snippet
def parts_of_shapes(torch):
    shape = torch.ones(3, 2).shape
    one = torch.Size([1])
    print(shape[1:], shape + one, one + shape, shape * 2, shape[0], shape[-1:] + shape[:1])
