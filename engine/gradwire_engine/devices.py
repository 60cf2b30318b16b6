"""Where tensors are: on the CPU. Devices exist so that code which names them runs as it is."""

from __future__ import annotations

from typing import Any, Final

from .errors import DeviceMissing, TensorRuntimeError, TensorTypeError

_KINDS: Final = (
    "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, mps, meta, hpu, mtia, privateuseone"
)
_KNOWN: Final = frozenset(_KINDS.split(", "))


class Device:
    """A device by its name (``torch.device``).

    Args:
        type: The kind of device, ``"cpu"``, perhaps with an index as in ``"cpu:0"``; or a device.
        index: The index.

    Raises:
        TensorRuntimeError: There is no such kind of device, or the index is none (torch's messages).
        TensorTypeError: ``type`` is neither a string nor a device, or ``index`` no integer.
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any, index: int | None = None) -> None:
        if isinstance(type, Device):
            type, index = type.type, type.index if index is None else index
        elif isinstance(type, int) and not isinstance(type, bool):
            raise TensorRuntimeError("Cannot access accelerator device when none is available.", code="unknown_device")
        elif not isinstance(type, str):
            raise TensorTypeError.of_argument("device", "type", 1, "str", _type_name(type))
        else:
            type, index = _parsed(type, index)
        if index is not None and not isinstance(index, int):
            raise TensorTypeError.of_argument("device", "index", 2, "int", _type_name(index))
        if index is not None and index < 0:
            raise TensorRuntimeError("Device index must not be negative", code="unknown_device")
        self.type: str = type
        self.index = index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __reduce__(self) -> tuple[Any, ...]:
        return (Device, (self.type, self.index))


def _type_name(value: object) -> str:
    return type(value).__name__


def _parsed(text: str, index: int | None) -> tuple[str, int | None]:
    if not text:
        raise TensorRuntimeError("Device string must not be empty", code="unknown_device")
    kind, colon, number = text.partition(":")
    if colon:
        if not (number.isascii() and number.isdigit()) or index is not None:
            raise TensorRuntimeError(f"Invalid device string: '{text}'", code="unknown_device")
        index = int(number)
    if kind not in _KNOWN:
        raise TensorRuntimeError(f"Expected one of {_KINDS} device type at start of device string: {kind}", code="unknown_device")
    return kind, index


CPU: Final = Device("cpu")


def check_device(device: Any) -> None:
    """Refuses every device but the CPU, which is the only one there is.

    Args:
        device: A device, its name, or ``None``.

    Raises:
        DeviceMissing: It is one for which torch would have to be built in another way (torch's message).
        TensorRuntimeError: It is something else.
        TensorTypeError: It is no device and no name of one.
    """
    kind = "cpu" if device is None else Device(device).type
    if kind in ("cuda", "xpu"):
        raise DeviceMissing(f"Torch not compiled with {kind.upper()} enabled")
    if kind != "cpu":
        raise TensorRuntimeError(f"Expected the device 'cpu', the only one that there is, but got '{device}'.", code="unknown_device")


class Absent:
    """A kind of device of which there is none, such as ``torch.cuda``: the calls with which programs look for one, and seed it."""

    def is_available(self) -> bool:
        """Whether there is one."""
        return False

    def device_count(self) -> int:
        """How many there are."""
        return 0

    def current_accelerator(self) -> None:
        """The one that is used: none."""

    def manual_seed(self, seed: int) -> None:
        """Seeds the generator of the one that is used, which is nothing to do."""

    def manual_seed_all(self, seed: int) -> None:
        """Seeds the generators of all of them, which is nothing to do."""


class Backends:
    """``torch.backends``, as far as programs ask there for devices."""

    cuda = Absent()
    mps = Absent()


class Layout:
    """How the elements of a tensor lie in its storage (``torch.layout``)."""

    def __repr__(self) -> str:
        return "torch.strided"


cuda: Final = Absent()
mps: Final = Absent()
xpu: Final = Absent()
accelerator: Final = Absent()
backends: Final = Backends()
strided: Final = Layout()
