"""What a tensor's elements are and where: what every recorder's tensors say of themselves in the same words."""

from __future__ import annotations

from typing import Any, Final

from .devices import CPU, Device, Layout, check_device, strided
from .dtypes import ALL, DType, dtype_of
from .errors import TensorTypeError, TensorValueError
from .op import ops

_TYPES: Final = {f"torch.{dtype.torch_name}Tensor": dtype for dtype in ALL}


class Placement:
    """The attributes and methods about dtypes and memory, of which there is one kind."""

    _data: Any

    @property
    def device(self) -> Device:
        """Where the elements are: the CPU."""
        return CPU

    @property
    def layout(self) -> Layout:
        """How the elements lie in the storage: with one stride per dimension."""
        return strided

    @property
    def is_cpu(self) -> bool:
        """Whether the elements are on the CPU: always."""
        return True

    @property
    def is_cuda(self) -> bool:
        """Whether the elements are on a GPU: never."""
        return False

    @property
    def is_sparse(self) -> bool:
        """Whether only the elements that are not zero are stored: never."""
        return False

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return int(self._data.dtype.itemsize)

    def is_floating_point(self) -> bool:
        """Whether the dtype is a real floating point one."""
        return bool(self._data.dtype.kind == "f")

    def is_complex(self) -> bool:
        """Whether the dtype is complex."""
        return bool(self._data.dtype.kind == "c")

    def element_size(self) -> int:
        """The bytes of one element."""
        return self.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        count = self.itemsize
        for size in self._data.shape:
            count *= size
        return count

    def get_device(self) -> int:
        """The index of the device, which is -1 for the CPU."""
        return -1

    def cpu(self) -> Any:
        """The tensor on the CPU, where it is already."""
        return self

    def cuda(self, device: Any = None) -> Any:
        """Refuses, as torch does where there is no CUDA.

        Raises:
            DeviceMissing: Always (torch's message).
        """
        check_device("cuda")

    def type(self, dtype: Any = None) -> Any:
        """torch's name for tensors of this dtype, such as ``torch.FloatTensor``; or the tensor in another dtype.

        Args:
            dtype: A dtype, or such a name.

        Raises:
            TensorValueError: There is no dtype of that name.
            TensorTypeError: It is neither.
        """
        if dtype is None:
            return f"torch.{dtype_of(self._data.dtype).torch_name}Tensor"
        if isinstance(dtype, str):
            if dtype not in _TYPES:
                raise TensorValueError(f"invalid type: '{dtype}'", code="unknown_dtype")
            dtype = _TYPES[dtype]
        if not isinstance(dtype, DType):
            raise TensorTypeError("dtype must be a type, str, or dtype object", code="argument_type")
        return ops.to(self, dtype)
