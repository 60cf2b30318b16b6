"""What SciPy's searches have to leave alone in a process that does other things too: its warnings and its threads."""

from __future__ import annotations

import contextlib
import ctypes
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

_LOCK: Final = threading.Lock()
_UNDO: Final[list[Callable[[], object]]] = []
_searches = 0


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Runs a search without SciPy's warnings, and with SciPy's linear algebra on the thread that calls it.

    What SciPy warns of is in the message of its result. ``warnings.catch_warnings`` would put back, in one thread, the filters from
    before another one began, so the last search that ends puts things back for all.

    The matrices of a search are tiny, of 20 rows or so. To share one with threads for which there is no free core takes milliseconds of
    waiting, and nothing else in the process runs meanwhile: on two busy cores a search by L-BFGS-B took ten times as long.
    """
    global _searches
    with _LOCK:
        _searches += 1
        if _searches == 1:
            _UNDO.extend((_without_warnings(), _with_one_thread()))
    try:
        yield
    finally:
        with _LOCK:
            _searches -= 1
            while not _searches and _UNDO:
                _UNDO.pop()()


def _without_warnings() -> Callable[[], object]:
    warnings.filterwarnings("ignore", module=r"scipy\.optimize")
    # A list of the module's, for which its stubs have another type.
    filters: Any = warnings.filters
    ours = filters[0]

    def undo() -> None:
        with contextlib.suppress(ValueError):
            filters.remove(ours)

    return undo


def _with_one_thread() -> Callable[[], object]:
    found = _linear_algebra()
    if found is None:
        return lambda: None
    threads, set_threads = found
    before = threads()
    set_threads(1)
    return lambda: set_threads(before)


@cache
def _linear_algebra() -> tuple[Callable[[], int], Callable[[int], object]] | None:
    """How many threads the library works on that comes with SciPy, and what changes that; ``None`` where SciPy uses another one."""
    import scipy

    package = Path(scipy.__file__).parent
    for path in (*package.parent.glob("scipy.libs/*openblas*"), *package.glob(".dylibs/*openblas*")):
        with contextlib.suppress(OSError, AttributeError):
            # It is loaded already, so that this is the one that SciPy uses; NumPy has its own.
            library = ctypes.CDLL(str(path))
            return library.scipy_openblas_get_num_threads, library.scipy_openblas_set_num_threads
    return None
