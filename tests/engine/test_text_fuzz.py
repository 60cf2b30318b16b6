"""Texts that nobody would write: whatever is sent, it is read or refused, in bounded time."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gradwire_engine.errors import GradwireError
from gradwire_engine.identity import program_hash
from gradwire_engine.limits import Limits
from gradwire_engine.program import Program
from gradwire_engine.text import read_program, write_text
from tests.engine.test_text import ACCEPTED, FUNCTIONS, REFUSED

VALID = [text for text, _ in ACCEPTED]
REFUSALS = [text for text, *_ in REFUSED if len(text) < 200]
LISTED = """
x y z s _ torch F nn functional functions linalg double both sum sin T mT shape sort values relu_ add_ tensor no_grad
with import def lambda for in if else True False None and or not float complex float64 __class__ einsum
( ) [ ] { } , : ; . = == += @= ** // + - * / % & | ^ ~ < > <= != @ -> := ... # \\ " ' \'\'\' ! ? $ `
0 1 2.5 1e999 2j 0x1f 1_000 007 1.. 99999999999999999999 'mean' 'ij->i' f'x' b'x' \u00e9
"""
WORDS = sorted({*LISTED.split(), "\u2028", "\x00", "\x0c", "\r", "\n", "\n    ", "\t", " ", "with torch.no_grad():\n    "})


def read_or_refuse(text: str) -> bool:
    """Whether the text is read; what is read is written and read back."""
    start = time.perf_counter()
    document = {"program": text, "outputs": [], "functions": FUNCTIONS}
    program: Program | GradwireError
    try:
        program = read_program(document, ["x", "y"], Limits())
    except GradwireError as error:
        program = error
    # Generous: the machine may be busy with something else.
    assert time.perf_counter() - start < 5
    if isinstance(program, GradwireError):
        assert program.pointer == "/program"
        assert len(program.detail) < 2500
        return False
    program_hash(program, {})
    write_text(program)
    return True


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join) | st.lists(st.sampled_from(WORDS), max_size=60).map("".join))
def test_random_tokens(text: str) -> None:
    read_or_refuse(text)


def mutated(data: st.DataObject) -> str:
    """Programs with something cut out, put in or repeated."""
    text = "\n".join(data.draw(st.lists(st.sampled_from(VALID + REFUSALS), min_size=1, max_size=3)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 8)))
        text = text[:start] + data.draw(st.sampled_from(["", *WORDS])) * data.draw(st.sampled_from([1, 1, 1, 2, 150])) + text[end:]
    return text


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutated_programs(data: st.DataObject) -> None:
    read_or_refuse(mutated(data))


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(["forward", "backward", "jvp"]), st.booleans())
def test_bodies_of_custom_functions(data: st.DataObject, part: str, valid: bool) -> None:
    text = data.draw(st.sampled_from(VALID)) if valid else mutated(data)
    bodies: dict[str, Any] = {
        "forward": {"inputs": ["x", "y"], "program": "s = x * y", "outputs": ["s"]},
        "backward": {"inputs": ["grad_s"], "program": "", "outputs": {}},
        "jvp": {"inputs": ["tangent_x"], "program": "", "outputs": {}},
    }
    bodies[part] = {**bodies[part], "program": text}
    document = {"program": "z = functions.f(x, y)", "outputs": ["z"], "functions": {**FUNCTIONS, "f": bodies}}
    refusal: GradwireError | None = None
    try:
        program_hash(read_program(document, ["x", "y"], Limits()), {})
    except GradwireError as error:
        refusal = error
    if refusal is not None:
        assert str(refusal.pointer).startswith(f"/functions/f/{part}/")
        assert len(refusal.detail) < 2500


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_random_characters(text: str) -> None:
    read_or_refuse(text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(WORDS), st.sampled_from(WORDS), st.integers(1, 20_000))
def test_repeated_tokens(first: str, second: str, count: int) -> None:
    read_or_refuse("z = " + (first + second) * count)
