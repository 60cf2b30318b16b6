"""LLVM's text to machine code for the processor that this runs on, by llvmlite."""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any

_lock = threading.Lock()
if hasattr(os, "register_at_fork"):
    # A process is not forked while something is being compiled: its child would never get LLVM's locks.
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
_numbers = count()
# Code that nobody calls any more. It is freed when something is compiled next: llvmlite lets in one thread at a time, so that whoever
# gives up a plan would wait until another is compiled.
_unused: deque[Any] = deque()


class Machine:
    """A compiled function; its code is there as long as this is.

    Nothing but instruction selection is asked of LLVM: a straight line of vector instructions leaves its other passes little to do,
    and they take most of the time.

    Args:
        text: A module of LLVM's language.
        name: The function in it, which takes a number and addresses and gives a number.
        addresses: How many addresses it takes.

    Attributes:
        call: Calls it, without holding Python's lock.
    """

    def __init__(self, text: str, name: str, addresses: int) -> None:
        with _lock:
            # Takes a tenth of a second the first time, so only those who need it pay.
            import llvmlite.binding as llvm

            while _unused:
                _unused.pop().close()
            target, jit = _processor()
            with llvm.create_context() as context, llvm.parse_assembly(text, context) as module:
                code = target.emit_object(module)
            library = llvm.JITLibraryBuilder().add_object_img(code).export_symbol(name).link(jit, f"{name}{next(_numbers)}")
        weakref.finalize(self, _unused.append, library).atexit = False
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int64, *[ctypes.c_void_p] * addresses)
        self.call: Callable[..., int] = kind(library[name])


@cache
def _processor() -> tuple[Any, Any]:
    """What is compiled for, and what holds the code, for the whole process."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=2, jit=True, codemodel="jitdefault")
    return target, llvm.create_lljit_compiler()
