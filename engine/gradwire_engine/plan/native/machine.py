"""LLVM's text to machine code for the processor that this runs on, by llvmlite."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any


class Machine:
    """A compiled function; its code is there as long as this is.

    Args:
        text: A module of LLVM's language.
        name: The function in it, which takes a number and addresses and gives a number.
        addresses: How many addresses it takes.

    Attributes:
        call: Calls it, without holding Python's lock.
    """

    def __init__(self, text: str, name: str, addresses: int) -> None:
        # Takes a tenth of a second the first time, so only those who need it pay.
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        module = llvm.parse_assembly(text)
        module.verify()
        target = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=2, jit=True, codemodel="jitdefault"
        )
        options = llvm.create_pipeline_tuning_options(speed_level=2)
        passes = llvm.create_pass_builder(target, options)
        passes.getModulePassManager().run(module, passes)
        # The engine owns the module and the target machine, and holds the code.
        self._engine: Any = llvm.create_mcjit_compiler(module, target)
        self._engine.finalize_object()
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int64, *[ctypes.c_void_p] * addresses)
        self.call: Callable[..., int] = kind(self._engine.get_function_address(name))
