"""README.md and the guide say what is true: their code runs and prints what they say.

A fenced block marked ``sh`` or ``python`` is executed, in order, each in a process of its own, all of them in one empty directory.
A block marked ``text`` or ``json`` directly below one is what it prints: text is compared line by line (``...`` stands for anything),
JSON by value. Mark as ``console`` what is to be read only. ``127.0.0.1:8000`` is a running server.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "docs/guide.md"]
COMMANDS = {"sh": ["bash", "-euo", "pipefail"], "python": [sys.executable, "-W", "error"]}
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block that is executed, and what it is to print."""

    line: int
    language: str
    code: str
    prints: str | None = None
    prints_json: bool = False


def blocks(text: str) -> list[Block]:
    """The blocks of ``text`` that are executed."""
    found: list[Block] = []
    end_of_last = -1
    for match in FENCE.finditer(text):
        language, code = match["language"], match["code"]
        if language in COMMANDS:
            found.append(Block(text.count("\n", 0, match.start()) + 1, language, code))
            end_of_last = match.end()
        elif language in ("text", "json") and end_of_last >= 0 and not text[end_of_last : match.start()].strip():
            block = found.pop()
            found.append(Block(block.line, block.language, block.code, prints=code, prints_json=language == "json"))
            end_of_last = -1
    return found


@pytest.mark.parametrize("page", PAGES)
def test_blocks(page: str, tmp_path: Path, server_url: str) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for block in blocks((ROOT / page).read_text(encoding="utf-8")):
        code = block.code.replace("127.0.0.1:8000", server_url.removeprefix("http://"))
        command = COMMANDS[block.language]
        done = subprocess.run(command, input=code, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60, check=False)
        where = f"The block at {page}:{block.line}"
        assert done.returncode == 0, f"{where} failed with status {done.returncode}:\n{done.stderr}"
        if block.prints is None:
            continue
        if block.prints_json:
            assert json.loads(done.stdout) == json.loads(block.prints), where
        else:
            same = doctest.OutputChecker().check_output(block.prints, done.stdout, doctest.ELLIPSIS)
            assert same, f"{where} printed\n{done.stdout}\nand {page} says\n{block.prints}"


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_executed(page: str) -> None:
    languages = {b.language for b in blocks((ROOT / page).read_text(encoding="utf-8")) if b.prints is not None}
    assert languages == {"sh", "python"}


CONVENTION = """\
```sh
echo 1
```

```json
1
```
```text
not its output
```
```console
$ make
```
```python
print()
```
but
```text
```
"""


def test_convention() -> None:
    assert blocks(CONVENTION) == [Block(1, "sh", "echo 1\n", "1\n", prints_json=True), Block(14, "python", "print()\n")]
