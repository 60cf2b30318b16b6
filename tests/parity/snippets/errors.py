"""What beginners get wrong, and what they are told."""
# mypy: ignore-errors

from __future__ import annotations

from .base import attempt, snippet


@snippet
def matrix_shapes(torch):
    a = torch.ones(2, 3)
    attempt(lambda: a @ a)
    attempt(lambda: torch.mm(a, torch.ones(3)))
    attempt(lambda: a @ torch.ones(2))
    attempt(lambda: torch.dot(torch.ones(2), torch.ones(3)))
    attempt(lambda: torch.bmm(torch.ones(2, 2, 3), torch.ones(3, 3, 2)))
    attempt(lambda: torch.ones(()) @ torch.ones(()))
    attempt(lambda: torch.matmul(torch.ones(2, 3, 4), torch.ones(3, 4, 5)))


@snippet
def matrix_dtypes(torch):
    attempt(lambda: torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.float64))
    attempt(lambda: torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.int64))
    attempt(lambda: torch.dot(torch.ones(2), torch.ones(2, dtype=torch.int64)))
    attempt(lambda: torch.tensor([1, 2]).mean())
    attempt(lambda: torch.nn.functional.mse_loss(torch.ones(2), torch.ones(2, dtype=torch.int64)))


@snippet
def joining(torch):
    attempt(lambda: torch.cat([torch.ones(2, 2), torch.ones(2, 3)]))
    attempt(lambda: torch.stack([torch.ones(2), torch.ones(3)]))
    attempt(lambda: torch.cat([]))
    attempt(lambda: torch.cat([torch.ones(2), 1.0]))
    attempt(lambda: torch.cat([torch.ones(2)], dim=3))


@snippet
def dimensions(torch):
    x = torch.ones(2, 3)
    attempt(lambda: x.sum(2))
    attempt(lambda: x.sum(-3))
    attempt(lambda: x.softmax(5))
    attempt(lambda: x.size(4))
    attempt(lambda: torch.tensor([]).max())
    attempt(lambda: x.mean((0, 0)))
    attempt(lambda: torch.tensor([]).argmax())


@snippet
def wrong_types(torch):
    x = torch.ones(2)
    attempt(lambda: x + "a")
    attempt(lambda: x + None)
    attempt(lambda: x * [1, 2])
    attempt(lambda: "a" + x)
    attempt(lambda: torch.exp("a"))
    attempt(lambda: torch.exp(2.0))
    attempt(lambda: torch.ones("a"))
    attempt(lambda: x.reshape("a"))


@snippet
def missing_and_unknown_arguments(torch):
    x = torch.ones(2)
    attempt(lambda: torch.exp())
    attempt(lambda: torch.exp(x, 3))
    attempt(lambda: torch.zeros(2, colour="red"))
    attempt(lambda: torch.matmul(x))


@snippet
def unknown_names(torch):
    x = torch.ones(2)
    attempt(lambda: x.expp())
    attempt(lambda: torch.nn.Lineer)
    attempt(lambda: torch.optim.Sgd)
    attempt(lambda: torch.tensr([1]))
    attempt(lambda: torch.nn.functional.reluu)


@snippet
def uncaught_shape_error(torch):
    print("before")
    x = torch.ones(2, 3, requires_grad=True)
    y = x @ x
    print("never")
    return y


@snippet
def uncaught_error_of_backward(torch):
    x = torch.ones(2, requires_grad=True)
    y = (x**2).sum()
    y.backward()
    print(x.grad)
    y.backward()


@snippet
def caught_and_continued(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    try:
        (x * 2).backward()
    except RuntimeError as error:
        print("Caught:", error)
    try:
        x[5]
    except IndexError as error:
        print("Caught:", error)
    try:
        x.view(3)
    except (RuntimeError, ValueError) as error:
        print("Caught:", error)
    (x * 2).sum().backward()
    print(x.grad)


@snippet
def caught_by_class(torch):
    caught = []
    for action in (
        lambda: torch.ones(2)[3],
        lambda: torch.ones(2) @ torch.ones(3),
        lambda: torch.ones(2) + "a",
        lambda: torch.tensor([[1], [1, 2]]),
        lambda: torch.ones(2).missing,
        lambda: torch.linalg.inv(torch.zeros(2, 2)),
    ):
        try:
            str(action())
        except IndexError:
            caught.append("IndexError")
        except torch.linalg.LinAlgError:
            caught.append("LinAlgError")
        except TypeError:
            caught.append("TypeError")
        except ValueError:
            caught.append("ValueError")
        except AttributeError:
            caught.append("AttributeError")
        except RuntimeError:
            caught.append("RuntimeError")
    print(caught)


@snippet
def values_that_are_only_known_when_computed(torch):
    attempt(lambda: torch.gather(torch.ones(2), 0, torch.tensor([5])))
    attempt(lambda: torch.ones(3)[torch.tensor([0, 7])])
    attempt(lambda: torch.linalg.cholesky(-torch.eye(2)))
    attempt(lambda: torch.multinomial(torch.tensor([-1.0, 2.0]), 1))


@snippet
def error_inside_no_grad_restores_mode(torch):
    with torch.no_grad():
        attempt(lambda: torch.ones(2) + torch.ones(3))
        print(torch.is_grad_enabled())
    print(torch.is_grad_enabled())


@snippet
def gradient_of_integer_result(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.long()
    print(y, y.requires_grad)
    attempt(y.sum().backward)
    attempt(x.argmax().backward)


@snippet
def item_assignment_errors(torch):
    x = torch.zeros(2)
    with torch.no_grad():
        attempt(lambda: x.__setitem__(5, 1.0))
        attempt(lambda: x.__setitem__(0, [1.0, 2.0]))
    attempt(lambda: torch.tensor(1.0).__setitem__(0, 1.0))


@snippet
def clamp_and_where_misuse(torch):
    x = torch.ones(2)
    attempt(lambda: x.clamp())
    attempt(lambda: torch.where(torch.tensor([1.0, 0.0]), x, x))
    attempt(lambda: x.masked_fill(torch.tensor([1, 0]), 0.0))
    attempt(lambda: x.topk(3))
    attempt(lambda: x.split(-1))
    attempt(lambda: torch.arange(0, 5, 0))
    attempt(lambda: torch.arange(5, 0))
    attempt(lambda: torch.linspace(0, 1, -1))
    attempt(lambda: torch.eye(-1))
    attempt(lambda: torch.zeros(-1))


@snippet
def copies_of_wrong_kind(torch):
    x = torch.zeros(2)
    attempt(lambda: x.copy_(torch.ones(3)))
    attempt(lambda: x.copy_([1.0, 2.0]))
    attempt(lambda: x.copy_(1.0))


@snippet
def positions_of_methods_arguments(torch):
    x = torch.zeros(2, 3)
    attempt(lambda: x.transpose("a", 0))
    attempt(lambda: torch.transpose(x, "a", 0))
    attempt(lambda: x.matmul(3))
    attempt(lambda: torch.matmul(x, 3))
    attempt(lambda: x.gather(0, "a"))
    attempt(lambda: x.softmax([1]))
    attempt(lambda: x.add_("a"))
    attempt(lambda: x.fill_diagonal_("a"))
    attempt(lambda: x.expand_as(1))


@snippet
def unknown_names_in_modules(torch):
    for module in (torch.nn, torch.nn.functional, torch.nn.init, torch.nn.utils, torch.optim, torch.autograd, torch.linalg):
        attempt(lambda: module.no_such_thing)  # noqa: B023 - called at once
