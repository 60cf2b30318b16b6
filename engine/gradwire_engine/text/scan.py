"""The first look at a text, before Python's parser sees it: its length, its tokens, and how deeply it is nested.

Python's parser recurses, and a text of a few kilobytes can exhaust its stack. So the tokens are read here first. What cannot be
part of a program is refused on sight, and the number of operators, dots and brackets that can end up inside each other is bounded.
"""

from __future__ import annotations

import ast
import keyword
import re
from typing import Final

from ..errors import ProgramError
from ..stopping import check
from .source import POINTER, Place, Source

MOST_CHARACTERS: Final = 2**18
MOST_TOKENS: Final = 100_000
DEEPEST: Final = 100
_MOST_DIGITS: Final = 400

_ESCAPE: Final = r"\\(?:[\\'\"abfnrtv0]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5}|U0010[0-9a-fA-F]{4})"
_TOKEN: Final = re.compile(
    r"(?P<space>[ \t\f]+|\\\n)"
    r"|(?P<comment>\#[^\n]*)"
    r"|(?P<newline>\n)"
    rf"|(?P<string>\"\"\"(?:[^\"\\]|\"(?!\"\")|{_ESCAPE})*\"\"\"|'''(?:[^'\\]|'(?!'')|{_ESCAPE})*'''"
    rf"|\"\"(?!\")|''(?!')|\"(?:[^\"\\\n]|{_ESCAPE})+\"|'(?:[^'\\\n]|{_ESCAPE})+')"
    r"|(?P<number>(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
    r"|(?:\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?[jJ]?)(?![A-Za-z0-9_.]))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator>\.\.\.|->|:=|(?:\*\*|//|<<|>>|[-+*/%&|^@=<>!])=?|[()\[\]{},:;.~])"
)
# The one compound statement, on the spot, because Python's parser tries all that could follow its keyword.
_NO_GRAD: Final = re.compile(r"with[ \t]+(?:torch[ \t]*\.[ \t]*)?no_grad[ \t]*\([ \t]*\)[ \t]*:")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")

_ALLOWED: Final = frozenset({"True", "False", "None", "with"})
_INSTEAD: Final = {
    "import": "Nothing can be imported: torch is there already, and its operations are called as torch.sin(x), F.relu(x) or x.sum().",
    "from": "Nothing can be imported: torch is there already, and its operations are called as torch.sin(x), F.relu(x) or x.sum().",
    "if": "A program cannot branch on values; use torch.where(condition, a, b).",
    "else": "A program cannot branch on values; use torch.where(condition, a, b).",
    "for": "A program has no loops; work on whole tensors, or write the steps out.",
    "while": "A program has no loops; work on whole tensors, or write the steps out.",
    "def": "A program defines no functions in its text; functions with a backward of their own are declared in 'functions'.",
    "lambda": "A program defines no functions in its text; functions with a backward of their own are declared in 'functions'.",
    "return": "A program does not return; the values to be answered are named in 'outputs'.",
    "and": "Use & between tensors of booleans, with parentheses around comparisons.",
    "or": "Use | between tensors of booleans, with parentheses around comparisons.",
    "not": "Use ~ on tensors of booleans.",
    "is": "Use ==, which compares elements.",
    "in": "Use ==, which compares elements, or torch.any.",
}
_REFUSED: Final = {
    "{": "Dictionaries and sets are not part of programs.",
    "}": "Dictionaries and sets are not part of programs.",
    ":=": "Assignments inside expressions are not part of programs; give the assignment a line of its own.",
    "->": "Annotations are not part of programs.",
    "!": "This character is not part of programs.",
}


def scan(text: str, pointer: str = POINTER) -> Source:
    r"""Checks everything about a text that Python's parser should not be trusted with.

    Args:
        text: The program, with ``\n`` at the ends of its lines.
        pointer: Where it stands in the document.

    Returns:
        The text as a source of places.

    Raises:
        ProgramError: It is too long (``too_long``), has too many tokens (``too_many_tokens``), is nested too deeply (``too_deep``), or
            has something in it that is no part of programs (``invalid_character``, ``unsupported_syntax``, ``syntax_error``).
    """
    if len(text) > MOST_CHARACTERS:
        raise ProgramError(
            f"The text has {len(text):,} characters, more than the {MOST_CHARACTERS:,} that a program may have. Send large tensors as "
            "inputs.",
            code="too_long",
            pointer=pointer,
        )
    source = Source(text, pointer)
    control = _CONTROL.search(text)
    if control is not None:
        raise _error(source, text, control.start(), 1, f"The character {control[0]!r} is not part of programs.", "invalid_character")
    _Scanner(source, text).run()
    return source


def tree_of(text: str, source: Source) -> ast.Module:
    """The syntax tree of a text that has passed ``scan``.

    Raises:
        ProgramError: It is no valid Python (``syntax_error``), or too much for the parser (``too_deep``).
    """
    try:
        return ast.parse(text)
    except SyntaxError as error:
        line = min(max(error.lineno or 1, 1), text.count("\n") + 1)
        content = text.split("\n")[line - 1]
        column = min(max(error.offset or 1, 1), len(content) + 1)
        width = (error.end_offset or 0) - column if error.end_lineno == error.lineno else 1
        message = f"This is not valid Python: {error.msg}."
        raise source.error(message, "syntax_error", Place(line, column, max(width, 1))) from None
    except (RecursionError, MemoryError):
        raise ProgramError("The text is nested too deeply to be read.", code="too_deep", pointer=source.pointer) from None


def _error(source: Source, text: str, start: int, width: int, message: str, code: str) -> ProgramError:
    return source.error(message, code, Place(text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start), width))


class _Scanner:
    """Goes through the tokens once.

    An expression is at most as deep as the operators, dots and opening brackets that stand in one run of it: a comma begins a new run,
    a bracket begins one inside.
    """

    def __init__(self, source: Source, text: str) -> None:
        self._source = source
        self._text = text
        self._runs = [0]
        self._depth = 0

    def run(self) -> None:
        text, position, tokens, after_name = self._text, 0, 0, -1
        match = _TOKEN.match
        while position < len(text):
            found = match(text, position)
            if found is None:
                raise self._unreadable(position)
            kind, start, position = found.lastgroup, position, found.end()
            if kind in ("space", "comment"):
                continue
            tokens += 1
            if not tokens % 4096:
                check()
            if tokens > MOST_TOKENS:
                message = f"The program has more than the {MOST_TOKENS:,} words and signs that are allowed."
                raise self._error(start, position, message, "too_many_tokens")
            if kind == "operator":
                self._operator(found[0], start)
            elif kind == "name":
                after_name = position
                if keyword.iskeyword(found[0]):
                    self._keyword(found[0], start)
            elif kind == "newline":
                if len(self._runs) == 1:
                    self._new_run()
            elif kind == "string" and start == after_name:
                raise self._error(
                    start, position, "Strings have no prefix in programs, and nothing is put into them.", "unsupported_syntax"
                )
            elif kind == "number" and position - start > _MOST_DIGITS:
                message = f"The number has {position - start:,} characters, more than the {_MOST_DIGITS} that are allowed."
                raise self._error(start, start + 20, message, "integer_out_of_range")

    def _operator(self, sign: str, start: int) -> None:
        if sign in _REFUSED:
            raise self._error(start, start + len(sign), _REFUSED[sign], "unsupported_syntax")
        if sign in (",", ";"):
            self._new_run()
        elif sign in (")", "]"):
            if len(self._runs) == 1:
                raise self._error(start, start + 1, f"There is no opening bracket for this {sign!r}.", "syntax_error")
            self._depth -= self._runs.pop()
        elif sign not in (":", "=", "..."):
            self._runs[-1] += 1
            self._depth += 1
            if self._depth > DEEPEST:
                message = f"The expression goes more than {DEEPEST} steps deep. Write it in several lines, with names for the parts."
                raise self._error(start, start + len(sign), message, "too_deep")
            if sign in ("(", "["):
                self._runs.append(0)

    def _new_run(self) -> None:
        self._depth -= self._runs[-1]
        self._runs[-1] = 0

    def _keyword(self, word: str, start: int) -> None:
        if word not in _ALLOWED:
            instead = _INSTEAD.get(word, "Programs are assignments of operations to names.")
            raise self._error(start, start + len(word), f"{word!r} is not part of programs. {instead}", "unsupported_syntax")
        if word == "with" and _NO_GRAD.match(self._text, start) is None:
            message = "The only block that a program has is 'with torch.no_grad():'."
            raise self._error(start, start + len(word), message, "unsupported_syntax")

    def _unreadable(self, start: int) -> ProgramError:
        character = self._text[start]
        if character in "\"'":
            message = "This string has no end on its line, or an escape that is not known."
            return self._error(start, start + 1, message, "syntax_error")
        if character in ".0123456789":
            return self._error(start, start + 1, "This is no number that Python could read.", "syntax_error")
        if character == "\\":
            return self._error(start, start + 1, "Only the end of a line may stand behind this character.", "syntax_error")
        return self._error(start, start + 1, f"The character {character!r} is not part of programs.", "invalid_character")

    def _error(self, start: int, end: int, message: str, code: str) -> ProgramError:
        return _error(self._source, self._text, start, end - start, message, code)
