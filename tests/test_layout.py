"""Who may import whom, and the habits that a linter cannot see."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"gradwire_engine": ROOT / "engine", "gradwire_server": ROOT / "server", "gradwire": ROOT / "client"}

# What each part may import beside the standard library, at the top of a module and inside functions.
# The longest prefix of the module's name decides.
NUMPY_AND_ENGINE = {"numpy", "gradwire_engine"}
WEB = {"fastapi", "starlette", "uvicorn", "uvloop", "orjson", "structlog", "prometheus_client"}
DOCUMENTATION = WEB | {"pydantic", "gradwire_server", "gradwire_engine"}
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "gradwire_engine": (NUMPY_AND_ENGINE, {"scipy", "opt_einsum", "llvmlite"}),
    "gradwire_server": (NUMPY_AND_ENGINE | WEB | {"gradwire_server"}, set()),
    "gradwire_server.cli": ({"gradwire_server"}, set()),
    # It turns refused settings into sentences.
    "gradwire_server.commands": ({"typer", "pydantic", "gradwire_server", "gradwire_engine"}, {"numpy", "httpx"}),
    "gradwire_server.number_runs": (NUMPY_AND_ENGINE | {"msgspec"}, set()),
    "gradwire_server.openapi": (DOCUMENTATION, set()),
    "gradwire_server.problems": (NUMPY_AND_ENGINE | {"gradwire_server"}, set()),
    "gradwire_server.routers": (DOCUMENTATION, set()),
    "gradwire_server.routing": (DOCUMENTATION, set()),
    "gradwire_server.schemas": ({"pydantic", "gradwire_server", "gradwire_engine"}, set()),
    "gradwire_server.services": (NUMPY_AND_ENGINE | {"gradwire_server"}, set()),
    "gradwire_server.settings": ({"pydantic", "pydantic_settings", "gradwire_server", "gradwire_engine"}, set()),
    "gradwire_server.store": (NUMPY_AND_ENGINE | {"gradwire_server"}, set()),
    "gradwire_server.wire": (NUMPY_AND_ENGINE | {"msgspec", "orjson", "gradwire_server"}, set()),
    "gradwire": (NUMPY_AND_ENGINE | {"httpx", "gradwire"}, set()),
    # The one place where the client reaches the server, and only when it is used.
    "gradwire.local": (NUMPY_AND_ENGINE | {"gradwire"}, {"gradwire_server"}),
}
# The services run on the plain install, so they may not lean on the parts of the server that need more.
PLAIN = ("gradwire_server.problems", "gradwire_server.services", "gradwire_server.store", "gradwire_server.version")

# Files that are longer than the rest for a reason.
LONGEST = 400
LONG: dict[str, str] = {}


@dataclass(frozen=True)
class Import:
    """One imported module, as seen from ``importer``."""

    importer: str
    imported: str
    line: int
    deferred: bool


def module_name(path: Path, root: Path) -> str:
    """The dotted name of the module at ``path``."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    """Every module of the three packages."""
    return {module_name(p, root): p for package, root in PACKAGES.items() for p in sorted((root / package).rglob("*.py"))}


@cache
def imports() -> tuple[Import, ...]:
    """Every import statement of the three packages, relative ones resolved."""

    def walk(node: ast.AST, importer: str, package: str, deferred: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(importer, alias.name, child.lineno, deferred)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    above = package.split(".")[: len(package.split(".")) - child.level + 1]
                    base = ".".join([*above, base] if base else above)
                for alias in child.names:
                    # `from package import module` imports the module.
                    inner = f"{base}.{alias.name}"
                    yield Import(importer, inner if inner in modules() else base, child.lineno, deferred)
            else:
                yield from walk(child, importer, package, deferred or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))

    found: list[Import] = []
    for name, path in modules().items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        found += walk(ast.parse(path.read_text(encoding="utf-8")), name, package, False)
    return tuple(found)


def is_within(module: str, prefix: str) -> bool:
    """Whether ``module`` is ``prefix`` or lies below it."""
    return module == prefix or module.startswith(prefix + ".")


def allowed(importer: str) -> tuple[set[str], set[str]]:
    """What ``importer`` may import at its top and inside functions."""
    prefix = max((p for p in ALLOWED if is_within(importer, p)), key=len)
    top, deferred = ALLOWED[prefix]
    return top, top | deferred


def test_imports_follow_the_layers() -> None:
    wrong = []
    for found in imports():
        top, deferred = allowed(found.importer)
        target = found.imported.partition(".")[0]
        if target not in sys.stdlib_module_names and target not in (deferred if found.deferred else top):
            wrong.append(f"{found.importer}:{found.line} imports {found.imported}")
    assert not wrong


def test_services_do_not_lean_on_http() -> None:
    wrong = [
        f"{found.importer}:{found.line} imports {found.imported}"
        for found in imports()
        if any(is_within(found.importer, p) for p in PLAIN)
        and is_within(found.imported, "gradwire_server")
        and not any(is_within(found.imported, p) for p in PLAIN)
    ]
    assert not wrong


def test_derived_names_are_documented() -> None:
    """The linter sees to what is written out; this is what declarations turn into."""
    from gradwire_engine.op import REGISTRY
    from gradwire_engine.tensor import Tensor

    undocumented = [name for name, op in REGISTRY.items() if not op.__doc__]
    undocumented += [f"Tensor.{name}" for name in dir(Tensor) if not name.startswith("_") and not inspect.getdoc(getattr(Tensor, name))]
    assert not undocumented


def test_files_are_short() -> None:
    long = {}
    for path in [
        *modules().values(),
        *(ROOT / "tests").rglob("*.py"),
        *(ROOT / "benchmarks").rglob("*.py"),
        *(ROOT / "scripts").rglob("*.py"),
    ]:
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > LONGEST:
            long[str(path.relative_to(ROOT))] = lines
    assert long.keys() == LONG.keys(), f"Files of more than {LONGEST} lines: {long}; split them, or give the reason in LONG."


def test_no_paths_of_a_machine() -> None:
    private = re.compile(r"(?<![\w.])/(?:work|root|home|Users)/\w|[A-Z]:\\\\Users\\\\")
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("This is no git clone.")
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            text = content.decode("utf-8")
            if private.search(text) or str(ROOT) in text:
                found.append(name)
    assert not found


PLAIN_PROGRAM = """
import sys


class Absent:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in absent:
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)


absent = set(sys.argv[1:])
sys.meta_path.insert(0, Absent())

import gradwire
from gradwire_engine.limits import Limits
from gradwire_server.services.evaluate import evaluate

program = {"inputs": {"x": {"data": [2.0, 3.0], "requires_grad": True}},
           "nodes": [{"name": "y", "op": "mul", "args": ["x", "x"]},
                     {"name": "m", "op": "einsum", "args": ["i,i->", ["y", "x"]]},
                     {"name": "z", "op": "erf", "args": ["m"]}],
           "outputs": ["m", "z"], "backward": "m"}
answer = evaluate(program, limits=Limits(), check=lambda: None)
print(answer["grads"]["x"]["data"].tolist())
"""


def installed_by_extras() -> set[str]:
    """The packages that only an extra brings, by the names under which they are imported."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    names = {re.split(r"[^\w-]", requirement)[0].replace("-", "_") for extra in ("special", "server") for requirement in extras[extra]}
    return names - {"gradwire"} | {"starlette"}


def test_plain_install_evaluates() -> None:
    done = subprocess.run([sys.executable, "-c", PLAIN_PROGRAM, *installed_by_extras()], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[12.0, 27.0]"), done.stderr
