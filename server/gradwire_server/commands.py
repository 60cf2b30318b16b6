"""The commands of ``gradwire``: serve, run, ops, version."""

from __future__ import annotations

import inspect
import json
import platform
from typing import Annotated, Any, Literal, NoReturn, get_args, get_origin

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from .settings import Settings
from .version import API, package_version

_SERVE_HELP = """Start the server.

Every option is also an environment variable; an option wins over its variable.

\b
Examples:
  gradwire serve
  gradwire serve --port 9000 --log-format text
  GRADWIRE_PORT=9000 gradwire serve

\b
Then open http://127.0.0.1:8000/docs, or from another terminal:
  curl http://127.0.0.1:8000/v1/evaluate -H 'Content-Type: application/json' -d '
    {"inputs":  {"x": {"data": [2, 3], "requires_grad": true}},
     "nodes":   [{"name": "z", "op": "dot", "args": ["x", "x"]}],
     "outputs": ["z"], "backward": "z"}'
"""

app = typer.Typer(
    name="gradwire",
    help="Automatic differentiation as a service: send a graph of operations, get values, gradients and grad_fns.\n\n"
    "`gradwire COMMAND --help` explains each command and gives examples.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _fail(message: str, status: int = 1) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(status)


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    """The command line option of one setting: a text that the settings themselves check, as they check a variable."""
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    default = field.get_default(call_default_factory=True, validated_data={})
    option = typer.Option(
        f"--{name.replace('_', '-')}",
        envvar=f"GRADWIRE_{name.upper()}",
        help=field.description,
        metavar="|".join(choices) or ("INTEGER" if field.annotation is int else "NUMBER" if field.annotation is float else "TEXT"),
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None if default in (None, ()) else str(default),
        annotation=Annotated[str | None, option],
    )


def _serve(**given: str | None) -> None:
    try:
        settings = Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        # What was given is not repeated: it may be a key.
        _fail("\n".join(f"--{str(e['loc'][0]).replace('_', '-')}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()), 2)
    from .serving import serve

    try:
        serve(settings)
    except OSError as error:
        _fail(f"Cannot listen on {settings.host} port {settings.port}: {error.strerror or error}.")


# typer reads options off a signature, and this one is that of the settings, so that none is declared twice.
_serve.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [_option(name, field) for name, field in Settings.model_fields.items()]
)
app.command("serve", help=_SERVE_HELP)(_serve)


_RUN_HELP = """Evaluate one program and print the answer as JSON.

FILE holds the document that POST /v1/evaluate takes; - reads it from standard input. A FILE that ends in .py or .txt holds the text of a
program, and --request the rest of the document: inputs, outputs, backward. Without --server the program runs in this process.
If the program is wrong, the problem is printed as JSON on standard error, and the status is 1.

\b
Examples:
  gradwire run program.json
  gradwire run program.json --server http://127.0.0.1:8000
  gradwire run program.py --request request.json
  gradwire run - <<'END'
    {"inputs":  {"x": {"data": [2, 3], "requires_grad": true}},
     "nodes":   [{"name": "z", "op": "dot", "args": ["x", "x"]}],
     "outputs": ["z"], "backward": "z"}
  END
"""


@app.command(help=_RUN_HELP)
def run(
    file: Annotated[typer.FileBinaryRead, typer.Argument(metavar="FILE", help="The program, or - for standard input.")],
    request: Annotated[typer.FileBinaryRead | None, typer.Option(metavar="FILE", help="What stands beside the text of a program.")] = None,
    server: Annotated[str | None, typer.Option(metavar="URL", envvar="GRADWIRE_URL", help="The server that evaluates it.")] = None,
    api_key: Annotated[str | None, typer.Option(metavar="KEY", envvar="GRADWIRE_API_KEY", help="Key for that server.")] = None,
    encoding: Annotated[Literal["list", "base64"], typer.Option(help="How the answer holds the values of tensors.")] = "list",
) -> None:
    """Evaluate one program and print the answer as JSON."""
    body = file.read()
    if file.name.endswith((".py", ".txt")):
        body = _with_text(body, file.name, b"{}" if request is None else request.read())
    elif request is not None:
        _fail("--request goes with the text of a program: a FILE that ends in .py or .txt.", 2)
    succeeded, answer = _ask(server, api_key, body, encoding) if server else _evaluate(body, encoding)
    typer.echo(answer, err=not succeeded)
    if not succeeded:
        raise typer.Exit(1)


def _with_text(text: bytes, name: str, request: bytes) -> bytes:
    """The document of a request with the text of a program in it."""
    from gradwire_engine.errors import GradwireError

    from . import wire

    try:
        document = wire.loads(request)
        if not isinstance(document, dict):
            _fail("The request must be a JSON object.")
        return json.dumps({**document, "program": text.decode("utf-8-sig")}).encode()
    except GradwireError as error:
        _fail(error.detail)
    except UnicodeDecodeError:
        _fail(f"The text in {name} is not valid UTF-8.")


def _evaluate(body: bytes, encoding: Literal["list", "base64"]) -> tuple[bool, bytes]:
    """Whether the program in ``body`` ran in this process, and the answer or the problem."""
    from gradwire_engine.errors import GradwireError
    from gradwire_engine.limits import Limits

    from . import wire
    from .errors import Problem
    from .services.evaluate import evaluate

    try:
        return True, wire.dumps(evaluate(wire.loads(body), limits=Limits(), check=lambda: None), encoding)
    except GradwireError as error:
        return False, Problem.of(error).body()


def _ask(server: str, api_key: str | None, body: bytes, encoding: str) -> tuple[bool, bytes]:
    """Whether ``server`` evaluated the program in ``body``, and its answer or its problem."""
    import httpx

    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})
    try:
        # The server bounds the time that a program may take.
        url = f"{server.rstrip('/')}/v1/evaluate"
        answer = httpx.post(url, params={"encoding": encoding}, content=body, headers=headers, timeout=httpx.Timeout(None, connect=10.0))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        _fail(f"The server at {server} did not answer: {error}")
    return answer.is_success, answer.content


_OPS_HELP = """List the operations, or describe one.

\b
Examples:
  gradwire ops
  gradwire ops nn.functional.relu
"""


@app.command(help=_OPS_HELP)
def ops(name: Annotated[str | None, typer.Argument(help="The operation to describe, such as nn.functional.relu.")] = None) -> None:
    """List the operations, or describe one."""
    from gradwire_engine.errors import GradwireError

    from .services.ops import get_op, list_ops

    if name is None:
        listed = list_ops()
        width = max(len(op["name"]) for op in listed)
        typer.echo("\n".join(f"{op['name']:<{width}}  {_summary(op)}" for op in listed))
        return
    try:
        op = get_op(name)
    except GradwireError as error:
        _fail(error.detail)
    typer.echo("\n\n".join([*map(_overload, op["overloads"]), op["doc"]]))


def _summary(op: dict[str, Any]) -> str:
    return f"The same as {op['alias_of']}." if op["alias_of"] else str(op["doc"]).partition("\n")[0]


def _overload(overload: dict[str, Any]) -> str:
    """One way to call an operation, and what backward makes of it."""
    if overload["composite"]:
        return f"{overload['signature']}\n  made of other operations, whose grad_fns it has"
    if not overload["differentiable"]:
        return f"{overload['signature']}\n  not differentiable"
    return f"{overload['signature']}\n  {overload['grad_fn']}, differentiable in {', '.join(overload['differentiable'])}"


@app.command()
def version() -> None:
    """Print the versions of Gradwire, its HTTP interface, Python and NumPy."""
    import numpy as np

    typer.echo(f"gradwire {package_version()} (api {API}, python {platform.python_version()}, numpy {np.__version__})")
