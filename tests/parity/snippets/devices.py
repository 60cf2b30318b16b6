"""Where tensors are: code that chooses a device runs as it stands, on the one that there is."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def device_chosen(torch):
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    x = torch.randn(2, 3, device=device)
    model = torch.nn.Linear(3, 1).to(device)
    print(device, x.device == device, model(x).device, next(model.parameters()).device.type)


@snippet
def device_objects(torch):
    print([torch.device("cpu"), torch.device("cuda:1"), torch.device("cpu", 0)], torch.device("cuda", 1), torch.device(type="cpu"))
    print(torch.device("cpu") == torch.device("cpu"), torch.device("cpu") == torch.device("cpu:0"), torch.device("cuda:1").index)
    print(
        {torch.device("cpu"): 1}[torch.zeros(1).device], torch.device(torch.device("cpu")), isinstance(torch.zeros(1).device, torch.device)
    )
    attempt(lambda: torch.device("gpu"))
    attempt(lambda: torch.device("cpu:x"))
    attempt(lambda: torch.device(""))


@snippet
def device_of_creation(torch):
    cpu = torch.device("cpu")
    print(torch.zeros(2, device="cpu"), torch.tensor([1], device=cpu), torch.arange(3, device="cpu:0"), torch.eye(2, device=None))
    print(torch.ones_like(torch.zeros(2), device=cpu), torch.zeros(1).new_full((2,), 7, device=cpu), torch.as_tensor([1.5], device=cpu))
    print(torch.full((2,), 1, device="cpu", dtype=torch.int8), torch.tensor(2.0, device=cpu, requires_grad=True))
    print(torch.rand(2, device=cpu).shape, torch.randint(3, (2,), device=cpu).dtype, torch.linspace(0, 1, 3, device=cpu))


@snippet
def device_that_is_missing(torch):
    attempt(lambda: torch.zeros(1, device="cuda"))
    attempt(lambda: torch.tensor([1.0], device=torch.device("cuda:0")))
    attempt(lambda: torch.zeros(1).to("cuda"))
    attempt(lambda: torch.zeros(1).cuda())
    attempt(lambda: torch.nn.Linear(1, 1).to("cuda"))
    attempt(lambda: torch.nn.Linear(1, 1, device="cuda"))
    attempt(lambda: torch.zeros(1, device="nowhere"))
    attempt(lambda: torch.zeros(1, device=1.5))
    print(torch.cuda.is_available(), torch.cuda.device_count(), torch.backends.mps.is_available())


@snippet
def device_moves_keep_history(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.to("cpu")
    print(y is x, x.to(torch.device("cpu")) is x, x.cpu() is x, x.to("cpu", copy=True), x.to("cpu", torch.float64))
    (x.cpu() * 2).sum().backward()
    print(x.grad, x.grad.device)


@snippet
def types_by_name(torch):
    x = torch.tensor([1.5, -2.0])
    print(x.type(), x.type(torch.int64), x.type("torch.DoubleTensor"), x.type(dtype=torch.float16).type(), x.type(torch.float32) is x)
    print([torch.zeros(1, dtype=d).type() for d in (torch.bool, torch.uint8, torch.int16, torch.complex64)])
    attempt(lambda: x.type("torch.RealTensor"))
    attempt(lambda: x.type(1))
