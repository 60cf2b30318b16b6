"""The ``gradwire`` command, run as a user runs it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
from uvicorn.config import STARTUP_FAILURE

from gradwire_server import serving
from gradwire_server.settings import Settings
from scripts.running import address_of, running_server

PROGRAM: dict[str, Any] = {
    "inputs": {"x": {"data": [2.0, 3.0], "requires_grad": True}},
    "nodes": [{"name": "y", "op": "mul", "args": ["x", "x"]}, {"name": "z", "op": "sum", "args": ["y"]}],
    "outputs": ["z"],
    "backward": "z",
}
WRONG: dict[str, Any] = PROGRAM | {"nodes": [{"name": "z", "op": "summ", "args": ["x"]}]}


def gradwire(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    command = [sys.executable, "-W", "error", "-m", "gradwire_server.cli", *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GRADWIRE_")} | variables
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False, env=environment)


@pytest.fixture
def program(tmp_path: Path) -> str:
    """The path of a file that holds PROGRAM."""
    path = tmp_path / "program.json"
    path.write_text(json.dumps(PROGRAM))
    return str(path)


def test_help_names_the_commands() -> None:
    done = gradwire("--help")
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("serve", "run", "ops", "version"))


@pytest.mark.parametrize("command", ["serve", "run", "ops"])
def test_help_gives_examples(command: str) -> None:
    assert f"Examples:\n    gradwire {command}" in gradwire(command, "--help").stdout


def test_every_setting_is_an_option_and_a_variable() -> None:
    text = " ".join(gradwire("serve", "--help").stdout.split())
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')} " in text
        assert f"env var: GRADWIRE_{name.upper()}" in text
        assert field.description
        assert " ".join(field.description.split()) in text


def test_run_in_process(program: str) -> None:
    done = gradwire("run", program)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["outputs"]["z"]["data"] == 13.0
    assert answer["outputs"]["z"]["grad_fn"] == "SumBackward0"
    assert answer["grads"]["x"]["data"] == [4.0, 6.0]


def test_run_reads_standard_input() -> None:
    assert json.loads(gradwire("run", "-", stdin=json.dumps(PROGRAM)).stdout)["grads"]["x"]["data"] == [4.0, 6.0]


def test_run_reads_text(tmp_path: Path, server_url: str) -> None:
    (tmp_path / "program.py").write_text("\ufeffy = x * x  # squared\nz = y.sum()\n", encoding="utf-8")
    (tmp_path / "request.json").write_text(json.dumps({k: v for k, v in PROGRAM.items() if k != "nodes"}))
    command = ("run", str(tmp_path / "program.py"), "--request", str(tmp_path / "request.json"))
    here, there = gradwire(*command), gradwire(*command, "--server", server_url)
    assert json.loads(here.stdout)["grads"]["x"]["data"] == [4.0, 6.0], here.stderr
    assert there.stdout == here.stdout
    (tmp_path / "program.txt").write_text("y = x.summ()", encoding="utf-8")
    wrong = json.loads(gradwire("run", str(tmp_path / "program.txt"), *command[2:]).stderr)
    assert (wrong["code"], wrong["pointer"], wrong["line"], wrong["column"]) == ("unknown_op", "/program", 1, 5)


def test_run_refuses_what_does_not_go_together(program: str, tmp_path: Path) -> None:
    done = gradwire("run", program, "--request", program)
    assert (done.returncode, "--request goes with the text" in done.stderr) == (2, True)
    (tmp_path / "latin.py").write_bytes(b"# \xe9")
    assert "is not valid UTF-8" in gradwire("run", str(tmp_path / "latin.py")).stderr
    (tmp_path / "request.json").write_text("[")
    (tmp_path / "plain.py").write_text("z = x")
    done = gradwire("run", str(tmp_path / "plain.py"), "--request", str(tmp_path / "request.json"))
    assert (done.returncode, "not valid JSON" in done.stderr) == (1, True)


@pytest.mark.parametrize("encoding", ["list", "base64"])
def test_run_on_a_server_answers_the_same(program: str, encoding: str, server_url: str) -> None:
    here = gradwire("run", program, "--encoding", encoding)
    there = gradwire("run", program, "--encoding", encoding, "--server", server_url)
    assert (there.returncode, there.stdout) == (0, here.stdout)
    assert ("base64" in here.stdout) == (encoding == "base64")
    assert gradwire("run", program, "--encoding", encoding, GRADWIRE_URL=server_url).stdout == here.stdout


def test_a_wrong_program_is_a_problem_on_stderr(server_url: str) -> None:
    here = gradwire("run", "-", stdin=json.dumps(WRONG))
    there = gradwire("run", "-", "--server", server_url, stdin=json.dumps(WRONG))
    assert (here.returncode, here.stdout) == (there.returncode, there.stdout) == (1, "")
    problem = json.loads(here.stderr)
    assert (problem["status"], problem["code"], problem["pointer"]) == (422, "unknown_op", "/nodes/0/op")
    assert problem.items() <= json.loads(there.stderr).items()


def test_malformed_json_is_a_problem() -> None:
    done = gradwire("run", "-", stdin="{")
    assert done.returncode == 1
    assert json.loads(done.stderr)["code"] == "malformed_json"


def test_a_missing_file_is_a_sentence() -> None:
    done = gradwire("run", "missing.json")
    assert done.returncode == 2
    assert "'missing.json': No such file" in done.stderr


def test_a_missing_server_is_a_sentence(program: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = gradwire("run", program, "--server", f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert done.returncode == 1
    assert "did not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_ops_lists_every_operation(server_url: str) -> None:
    done = gradwire("ops")
    assert done.returncode == 0, done.stderr
    listed = httpx.get(f"{server_url}/v1/ops").json()["items"]
    assert [line.split()[0] for line in done.stdout.splitlines()] == [op["name"] for op in listed]


def test_ops_describes_one() -> None:
    done = gradwire("ops", "mul")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("mul(input")
    assert "MulBackward0, differentiable in input, other" in done.stdout
    assert {"PowBackward0,", "PowBackward1,"} <= set(gradwire("ops", "pow").stdout.split())


def test_ops_suggests() -> None:
    done = gradwire("ops", "mull")
    assert done.returncode == 1
    assert "mul" in done.stderr.replace("mull", "")


def test_version() -> None:
    import gradwire as package

    assert gradwire("version").stdout.startswith(f"gradwire {package.__version__} (api v1, python 3.")


def test_serve_takes_options() -> None:
    with running_server("--nodes", "7", "--requests-in-flight", "3") as url:
        limits = httpx.get(f"{url}/v1/info").json()["limits"]
    assert (limits["nodes"], limits["requests_in_flight"]) == (7, 3)


def test_serve_refuses_wrong_options_without_repeating_them() -> None:
    done = gradwire("serve", "--port", "http", "--api-keys", "secret", GRADWIRE_NODES="0")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["--port", "--api-keys", "--nodes"]
    assert "secret" not in done.stderr


def test_serve_says_that_a_port_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = gradwire("serve", "--port", str(port))
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1 port {port}: Address already in use." in done.stderr


def test_several_workers_share_the_port() -> None:
    with running_server("--workers", "2") as url:
        for _ in range(20):
            with httpx.Client(base_url=url, timeout=60) as fresh:
                assert fresh.post("/v1/evaluate", json=PROGRAM).json()["grads"]["x"]["data"] == [4.0, 6.0]


def test_an_app_that_cannot_be_built_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(settings: Settings) -> NoReturn:
        raise RuntimeError(f"no app for {settings.host}")

    monkeypatch.setattr(serving, "create_logged_app", fails)
    with pytest.raises(SystemExit) as stopped:
        serving._app(Settings())
    assert stopped.value.code == STARTUP_FAILURE


def test_connections_do_not_wait_for_acknowledgements() -> None:
    with serving.listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")])
def test_the_printed_address_is_one_to_open(host: str, shown: str) -> None:
    with serving.listen(host, 0) as listener:
        assert serving.url_of(listener) == f"http://{shown}:{listener.getsockname()[1]}"


def test_the_plain_install_says_what_to_install() -> None:
    without_typer = "import sys; sys.modules['typer'] = None; from gradwire_server.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", without_typer], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert 'pip install "gradwire[server]"' in done.stderr


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gradwire_server.cli", "serve", "--port", "0", "--workers", "2", "--log-format", "json"]
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=stderr)
    try:
        url = address_of(process, log, time.monotonic() + 60)
        while not answers(url):
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 30
    while answers(url):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Whether anything listens there."""
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False
