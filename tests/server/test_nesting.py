"""Arrays with many lists: the text that any writer would give, without the memory that orjson needs for lists."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from gradwire_engine.codec import decode
from gradwire_server import nesting
from gradwire_server.wire import dumps

SHAPES = [(), (3,), (1,), (2, 3), (1, 1), (4, 1), (1, 4), (2, 1, 3), (3, 1, 1), (1, 2, 1, 1, 3, 1), (2, 2, 2, 1, 2), (5, 2, 1), (1,) * 9]
EMPTY = [(0,), (0, 3), (3, 0), (2, 1, 0, 4), (1, 0, 1)]


@pytest.mark.parametrize("most", [1, 2, 3, 5])
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "complex64"])
@pytest.mark.parametrize("shape", [*SHAPES, *EMPTY])
def test_in_pieces_and_without_ones_the_text_is_the_same(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], dtype: str, most: int
) -> None:
    array = (np.arange(np.prod(shape, dtype=int)) % 7).astype(dtype).reshape(shape)
    if dtype in ("float32", "complex64") and array.size > 2:
        array.reshape(-1)[2] = np.nan
    whole = dumps(array)
    monkeypatch.setattr(nesting, "_MOST_LISTS", most)
    assert dumps(array) == whole


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_order_in_memory_does_not_show(monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    array = np.arange(12.0).reshape(2, 3, 1, 2)
    monkeypatch.setattr(nesting, "_MOST_LISTS", 2)
    assert json.loads(dumps(np.asarray(array, order=order))) == array.tolist()  # type: ignore[call-overload]


def test_a_complex_array_of_every_dimension_is_written() -> None:
    array = np.array([1 + 2j, 3 - 4j], np.complex64).reshape((1,) * 40 + (2,) + (1,) * 23)
    assert decode({"data": json.loads(dumps(array)), "dtype": "complex64"}).array.tolist() == array.tolist()


@pytest.mark.parametrize("shape", [(20_000, *[1] * 63), (5_000_000, 1), (5_000_000, 0), (5_000_000, 2)])
def test_lists_take_no_more_memory_than_their_text(shape: tuple[int, ...]) -> None:
    # orjson ends the process where it finds no memory, and the tracers of Python do not see what it takes.
    code = f"""
import resource
import numpy as np
from gradwire_server.wire import dumps
array = np.zeros({shape}, np.float32)
dumps(array[:1])
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 256 * 2**20,) * 2)
print(len(dumps(array)))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 2**20
