"""Devices are named, compared and refused, where tensors are made and moved."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import gradwire_engine as torch
from gradwire_engine.devices import Device, check_device
from gradwire_engine.errors import DeviceMissing, TensorRuntimeError, TensorTypeError, TensorValueError


@pytest.mark.parametrize(
    ("given", "text", "shown"),
    [
        (("cpu",), "cpu", "device(type='cpu')"),
        (("cpu:0",), "cpu:0", "device(type='cpu', index=0)"),
        (("cuda", 1), "cuda:1", "device(type='cuda', index=1)"),
        ((Device("cuda:1"),), "cuda:1", "device(type='cuda', index=1)"),
    ],
)
def test_devices_by_name(given: tuple[Any, ...], text: str, shown: str) -> None:
    device = Device(*given)
    assert (str(device), repr(device)) == (text, shown)
    assert device == Device(text)
    assert hash(device) == hash(Device(text))
    assert pickle.loads(pickle.dumps(device)) == device


def test_devices_of_other_kinds_or_indices_differ() -> None:
    assert len({Device("cpu"), Device("cpu:0"), Device("cpu:1"), Device("cuda:0")}) == 4
    assert Device("cpu") != "cpu"


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (("gpu",), TensorRuntimeError, "Expected one of cpu, cuda, .* device type at start of device string: gpu"),
        (("",), TensorRuntimeError, "Device string must not be empty"),
        (("cpu:x",), TensorRuntimeError, "Invalid device string: 'cpu:x'"),
        (("cpu:-1",), TensorRuntimeError, "Invalid device string: 'cpu:-1'"),
        (("cpu:²",), TensorRuntimeError, "Invalid device string"),
        (("cpu:0", 1), TensorRuntimeError, "Invalid device string: 'cpu:0'"),
        (("cpu", -1), TensorRuntimeError, "Device index must not be negative"),
        (("cpu", 0.5), TensorTypeError, r"device\(\): argument 'index' \(position 2\) must be int, not float"),
        ((1.5,), TensorTypeError, r"device\(\): argument 'type' \(position 1\) must be str, not float"),
        ((0,), TensorRuntimeError, "Cannot access accelerator device when none is available."),
    ],
)
def test_what_is_no_device_is_refused(given: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Device(*given)


@pytest.mark.parametrize("device", [None, "cpu", "cpu:0", Device("cpu")])
def test_the_cpu_is_there(device: Any) -> None:
    check_device(device)
    assert torch.zeros(2, device=device).device == Device("cpu")
    assert torch.tensor([1.0], device=device).device.type == "cpu"
    x = torch.ones(2)
    assert x.to(device) is x
    assert x.to(device, torch.float64).dtype is torch.float64


@pytest.mark.parametrize("device", ["cuda", "cuda:1", Device("cuda")])
def test_cuda_is_missing_as_in_torch(device: Any) -> None:
    missing = "Torch not compiled with CUDA enabled"
    with pytest.raises(AssertionError, match=missing):
        torch.zeros(1, device=device)
    with pytest.raises(AssertionError, match=missing):
        torch.ones(1).to(device)
    with pytest.raises(AssertionError, match=missing):
        torch.as_tensor([1.0], device=device)
    with pytest.raises(DeviceMissing, match=missing):
        torch.ones(1).cuda()


def test_other_devices_are_refused() -> None:
    with pytest.raises(TensorRuntimeError, match="Expected the device 'cpu', the only one that there is, but got 'mps'"):
        torch.zeros(1, device="mps")
    with pytest.raises(TensorTypeError, match=r"zeros\(\): argument 'device' must be torch.device, not float"):
        torch.zeros(1, device=1.5)


def test_programs_look_for_accelerators_in_vain() -> None:
    assert not any(kind.is_available() for kind in (torch.cuda, torch.mps, torch.xpu, torch.accelerator, torch.backends.mps))
    assert torch.cuda.device_count() == 0
    assert torch.accelerator.current_accelerator() is None
    torch.cuda.manual_seed_all(0)


def test_tensors_say_where_they_are() -> None:
    x = torch.zeros(2, 3, dtype=torch.float64)
    assert (x.is_cpu, x.is_cuda, x.is_sparse, x.get_device(), repr(x.layout)) == (True, False, False, -1, "torch.strided")
    assert (x.itemsize, x.element_size(), x.nbytes) == (8, 8, 48)
    assert x.cpu() is x


def test_types_by_name() -> None:
    x = torch.tensor([1.5])
    assert x.type() == "torch.FloatTensor"
    assert x.type("torch.LongTensor").tolist() == [1]
    assert x.type(torch.float64).type() == "torch.DoubleTensor"
    with pytest.raises(TensorValueError, match=r"invalid type: 'torch\.RealTensor'"):
        x.type("torch.RealTensor")
    with pytest.raises(TensorTypeError, match="dtype must be a type, str, or dtype object"):
        x.type(3)
