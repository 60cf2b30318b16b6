"""Long answers: in pieces and as a whole they are the same text."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest

from gradwire_engine.codec import encode
from gradwire_engine.dtypes import Array
from gradwire_server import writing
from gradwire_server.wire import AnswerTooLarge, Encoding, dumps, dumps_in_pieces, loads

SHAPES = [(), (1,), (7,), (2, 3), (5, 1), (1, 9), (3, 2, 4), (2, 1, 3, 1), (0,), (4, 0), (2, 0, 3), (1, 1, 1)]


def array_of(shape: tuple[int, ...], dtype: str) -> Array:
    array = (np.arange(np.prod(shape, dtype=int)) % 5).astype(dtype).reshape(shape)
    if array.dtype.kind in "fc":
        flat = array.reshape(-1)
        flat[1::4], flat[2::4], flat[3::7] = np.nan, np.inf, -np.inf
    return array


@pytest.mark.parametrize("encoding", ["list", "base64"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "bool", "complex128"])
@pytest.mark.parametrize("most", [4, 9, 20])
def test_the_text_is_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch, most: int, dtype: str, encoding: Encoding) -> None:
    arrays = [array_of(shape, dtype) for shape in SHAPES]
    document = {"a": [encode(array) for array in arrays], "\0": "\0", "b": {"c": arrays[6].T, "d": np.float64(0.5)}, "e": [2**70, None]}
    whole = dumps(document, encoding)
    monkeypatch.setattr(writing, "_PIECE_ELEMENTS", most)
    monkeypatch.setattr(writing, "_PIECE_BYTES", 8)
    pieces = dumps_in_pieces(document, encoding)
    assert b"".join(pieces) == whole
    assert len(pieces) > 4
    assert json.loads(whole)["\0"] == "\0"


def test_pieces_are_worth_sending_and_none_is_long() -> None:
    many = np.random.default_rng(0).random(1_000_000)
    document = {"few": [encode(np.arange(3.0)) for _ in range(20_000)], "many": encode(many)}
    pieces = dumps_in_pieces(document)
    sizes = [len(piece) for piece in pieces]
    assert sum(sizes) > 20_000_000
    assert max(sizes) < 2_000_000
    assert len(sizes) < sum(sizes) / 200_000
    assert loads(b"".join(pieces))["many"]["data"] == many.tolist()


@pytest.mark.parametrize("values", [[np.nan], [np.nan, 1.5], [np.inf, -np.inf, np.nan, 0.5]])
def test_what_is_not_finite_takes_no_more_memory_than_its_text(values: list[float]) -> None:
    array = np.resize(np.array(values, np.float32), 300_000)
    tracemalloc.start()
    try:
        size = sum(map(len, dumps_in_pieces({"x": array})))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < size + 12 * 2**20


@pytest.mark.parametrize("encoding", ["list", "base64"])
def test_no_more_is_written_than_allowed(encoding: Encoding) -> None:
    document = {"x": encode(np.full(200_000, 0.1))}
    size = len(dumps(document, encoding))
    assert len(b"".join(dumps_in_pieces(document, encoding, most_bytes=size))) == size
    with pytest.raises(AnswerTooLarge, match=f"at most {size - 1:,} bytes") as caught:
        dumps_in_pieces(document, encoding, most_bytes=size - 1)
    assert ("?encoding=base64" in caught.value.detail) == (encoding == "list")


def test_the_writing_can_be_stopped() -> None:
    class Stop(Exception):
        pass

    def check() -> None:
        raise Stop

    with pytest.raises(Stop):
        dumps_in_pieces({"x": np.zeros(1_000_000)}, check=check)


@pytest.mark.parametrize("shape", [(5,), (2, 3), (4, 1, 1), (3, 0), (2, 3, 0), (5, 1, 1, 0), (0,), (1, 1), (0, 3), (2, 0, 4)])
def test_the_least_length_is_that_of_digits(shape: tuple[int, ...]) -> None:
    written = dumps(np.zeros(shape, np.int64))
    below_an_empty_list = 0 in shape and shape[-1] != 0
    assert len(written) >= writing._least_bytes(shape)
    if not below_an_empty_list:
        assert len(written) == writing._least_bytes(shape)


@pytest.mark.parametrize("encoding", ["list", "base64"])
@pytest.mark.parametrize(
    "array",
    [
        np.array(0.1),
        np.array(np.nan),
        np.array([]),
        np.array([1.0, -0.0, 1e308, 1e308]),
        np.array([1.0, -np.inf, np.inf]),
        np.arange(65.0),
        np.ones((2, 2)),
        np.array([0.1], np.float32),
        np.array([2**62, -1]),
        np.array([1j]),
    ],
)
def test_a_document_of_tensors_only_is_written_as_any_other(array: Array, encoding: Encoding) -> None:
    document = {"value": encode(np.array(2.5)), "grads": {"x": encode(array), "y": encode(np.arange(3.0)[::2])}}
    assert b"".join(dumps_in_pieces(document, encoding, only_tensors=True)) == dumps(document, encoding)
