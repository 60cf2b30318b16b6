"""Generators: their state, their seeds, and that threads may share one."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest

import gradwire_engine as gradwire
from gradwire_engine.op import ops
from gradwire_engine.random import Generator

FLOAT = np.dtype("float32")
DOUBLE = np.dtype("float64")


def test_the_known_first_numbers_of_a_seed() -> None:
    """What torch documents by its own examples: seed 0 starts with these."""
    np.testing.assert_allclose(Generator(0).uniform((3,), FLOAT), [0.4963, 0.7682, 0.0885], atol=5e-5)
    np.testing.assert_allclose(Generator(0).normal((3,), FLOAT), [1.5410, -0.2934, -2.1788], atol=5e-5)
    assert Generator(0).permutation(4).tolist() == [0, 1, 3, 2]


def test_state_is_plain_data_and_continues_the_stream() -> None:
    generator = Generator(3)
    generator.normal((3,), FLOAT)  # leaves the second of a pair behind
    state = json.loads(json.dumps(generator.get_state()))
    expected = generator.normal((4,), FLOAT), generator.uniform((4,), DOUBLE)
    again = Generator().set_state(state)
    np.testing.assert_array_equal(again.normal((4,), FLOAT), expected[0])
    np.testing.assert_array_equal(again.uniform((4,), DOUBLE), expected[1])
    assert again.initial_seed() == 3


def test_clone_state_is_independent() -> None:
    generator = Generator(3)
    clone = generator.clone_state()
    first = clone.uniform((4,), FLOAT)
    np.testing.assert_array_equal(generator.uniform((4,), FLOAT), first)


def test_manual_seed_forgets_the_kept_normal() -> None:
    generator = Generator(3)
    first = generator.normal((1,), DOUBLE)
    np.testing.assert_array_equal(generator.manual_seed(3).normal((1,), DOUBLE), first)


def test_seed_draws_a_new_stream() -> None:
    generator = Generator(3)
    assert generator.seed() == generator.initial_seed() != 3


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"seed": 0, "key": [1, 2], "position": 0, "spare_normal": None},
        {"seed": 0, "key": [0] * 624, "position": 700, "spare_normal": None},
        {"seed": 0, "key": "x", "position": 0, "spare_normal": None},
    ],
)
def test_states_that_are_none(state: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="state of a generator"):
        Generator().set_state(state)


def test_seed_of_the_wrong_type() -> None:
    with pytest.raises(TypeError, match="manual_seed expected a long, but got str"):
        Generator("a")  # type: ignore[arg-type]


def test_pieces_of_a_stream_are_the_stream() -> None:
    """Numbers are worked out in blocks, which no result shows."""
    whole = Generator(1).uniform((200_000,), FLOAT)
    generator = Generator(1)
    pieces = [generator.uniform((n,), FLOAT) for n in (1, 70_000, 129_999)]
    np.testing.assert_array_equal(whole, np.concatenate(pieces))


def test_bounds_and_moments() -> None:
    uniform = Generator(1).uniform((100_000,), DOUBLE, -1.0, 3.0)
    assert uniform.min() >= -1.0
    assert uniform.max() < 3.0
    normal = Generator(1).normal((100_000,), DOUBLE, 2.0, 3.0)
    assert normal.mean() == pytest.approx(2.0, abs=0.05)
    assert normal.std() == pytest.approx(3.0, abs=0.05)
    assert Generator(1).bernoulli(0.25, (100_000,)).mean() == pytest.approx(0.25, abs=0.01)
    assert sorted(Generator(1).permutation(1000).tolist()) == list(range(1000))
    half = Generator(1).uniform((100_000,), np.dtype("float16"))
    assert half.max() < 1.0


def test_threads_share_a_generator_without_losing_or_repeating_numbers() -> None:
    generator = Generator(9)
    parts: list[list[Any]] = [[] for _ in range(4)]

    def draw(part: list[Any]) -> None:
        for _ in range(50):
            part.append(generator.integers(0, 2**27, (100,)))

    threads = [threading.Thread(target=draw, args=(p,)) for p in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drawn = {tuple(row.tolist()) for part in parts for row in part}
    expected = Generator(9).integers(0, 2**27, (200, 100))
    assert drawn == {tuple(row.tolist()) for row in expected}


def test_ops_draw_from_the_generator_they_are_given() -> None:
    gradwire.manual_seed(0)
    before = gradwire.modes.current_generator().get_state()
    a = ops.rand(3, generator=Generator(5))
    b = ops.rand(3, generator=Generator(5))
    assert a.tolist() == b.tolist()
    assert gradwire.modes.current_generator().get_state() == before


def test_ops_draw_from_the_generator_of_the_context() -> None:
    gradwire.manual_seed(5)
    assert ops.rand(3).tolist() == ops.rand(3, generator=Generator(5)).tolist()
