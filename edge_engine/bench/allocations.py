"""Allocations: counts every large block that a process takes from the heap, by whichever library.

A small library stands between the process and glibc's allocator (LD_PRELOAD). It is made here, from LLVM
instructions by way of the linker, like the kernels are.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import subprocess
import tempfile
from pathlib import Path

_NOWHERE = (1 << 62) - 1 if struct.calcsize("P") == 8 else (1 << 31) - 1
_ENOMEM = 12
_COUNT, _THRESHOLD = "edge_engine_large_blocks", "edge_engine_large_block_bytes"
# glibc's own names for what stands behind malloc and its family: arguments, and which one is the size.
_FUNCTIONS = {
    "malloc": ("__libc_malloc", 1, 0),
    "realloc": ("__libc_realloc", 2, 1),
    "memalign": ("__libc_memalign", 2, 1),
    "aligned_alloc": ("__libc_memalign", 2, 1),
}


def build(folder: Path) -> Path | None:
    """The library to preload; None where there is no linker, or no glibc."""
    if not hasattr(ctypes.CDLL(None), "__libc_memalign"):
        return None
    path = folder / "allocations.so"
    try:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            code = Path(scratch) / "allocations.o"
            code.write_bytes(_object_code())
            subprocess.run(["ld", "-shared", "-o", path, code], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return path


def environment(library: Path | None) -> dict[str, str]:
    """A child's environment in which its allocations are counted."""
    return dict(os.environ) if library is None else os.environ | {"LD_PRELOAD": str(library)}


def count_from(frame_bytes: int) -> None:
    """From now on blocks of at least so many bytes count."""
    with contextlib.suppress(ValueError):
        ctypes.c_size_t.in_dll(ctypes.CDLL(None), _THRESHOLD).value = frame_bytes


def counted() -> int | None:
    """How many such blocks this process has taken; None when the library isn't there."""
    try:
        return ctypes.c_size_t.in_dll(ctypes.CDLL(None), _COUNT).value
    except ValueError:
        return None


def _object_code() -> bytes:
    import llvmlite.binding as llvm

    with contextlib.suppress(RuntimeError):  # newer versions do it by themselves, and say so
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(reloc="pic", codemodel="default")
    return bytes(machine.emit_object(llvm.parse_assembly(_instructions())))


def _instructions() -> str:
    """The library, with pointers as integers of their width."""
    from llvmlite import ir

    word = ir.IntType(8 * struct.calcsize("P"))
    module = ir.Module()
    count, threshold = (ir.GlobalVariable(module, word, name) for name in (_COUNT, _THRESHOLD))
    count.initializer, threshold.initializer = word(0), word(_NOWHERE)

    def define(name: str, arguments: int, result: ir.Type = word) -> tuple[ir.IRBuilder, list[ir.Value]]:
        function = ir.Function(module, ir.FunctionType(result, [word] * arguments), name)
        return ir.IRBuilder(function.append_basic_block()), list(function.args)

    def declare(name: str, arguments: int) -> ir.Function:
        return ir.Function(module, ir.FunctionType(word, [word] * arguments), name)

    real = {name: declare(name, n) for name, n, _ in _FUNCTIONS.values() if name not in module.globals}
    real["__libc_calloc"] = declare("__libc_calloc", 2)

    def note(code: ir.IRBuilder, size: ir.Value) -> None:
        with code.if_then(code.icmp_unsigned(">=", size, code.load(threshold)), likely=False):
            code.atomic_rmw("add", count, word(1), "monotonic")

    for name, (behind, n, which) in _FUNCTIONS.items():
        code, arguments = define(name, n)
        note(code, arguments[which])
        code.ret(code.call(real[behind], arguments))
    code, (items, size) = define("calloc", 2)
    note(code, code.mul(items, size))
    code.ret(code.call(real["__libc_calloc"], [items, size]))
    code, (place, alignment, size) = define("posix_memalign", 3, ir.IntType(32))
    note(code, size)
    block = code.call(real["__libc_memalign"], [alignment, size])
    code.store(block, code.inttoptr(place, word.as_pointer()))
    code.ret(
        code.select(code.icmp_unsigned("==", block, word(0)), ir.IntType(32)(_ENOMEM), ir.IntType(32)(0))
    )
    return str(module)
