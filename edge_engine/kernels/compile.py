"""Compiles the kernels: numba → machine code → a shared library, by the system's linker.

python -m edge_engine.kernels.compile STEM     writes STEM-<checksum>.so
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import llvmlite.binding as llvm
import numba
from numba import types

from edge_engine.kernels.registry import KERNELS, checksum

# What numba's wrapper would call to report an exception; kernels raise none.
_NEVER_CALLED = re.compile(r"^declare [^@]*@(?:numba_|NRT_)[^\n]*$", re.MULTILINE)


def _compiled(name: str) -> Any:  # noqa: ANN401 - numba has no types
    module, function = KERNELS[name].code.split(":")
    result, arguments = KERNELS[name].types()
    signature = _type(result)(*(_type(argument) for argument in arguments))
    code = getattr(import_module(f"edge_engine.kernels.native.{module}"), function)
    return numba.cfunc(signature, error_model="numpy")(code)


def _type(name: str) -> Any:  # noqa: ANN401
    if name.endswith("*"):
        return types.CPointer(getattr(types, name[:-1]))
    return getattr(types, name)


def compile_here() -> SimpleNamespace:
    """The kernels as functions of this process, which then carries numba and LLVM along."""
    compiled = {name: _compiled(name) for name in KERNELS}
    functions = {name: ctypes.CFUNCTYPE(None)(kernel.address) for name, kernel in compiled.items()}
    return SimpleNamespace(**functions, keeps_the_code_alive=compiled)


def compile_library(stem: Path) -> Path:
    """Writes the library next to `stem`, whole or not at all. Raises OSError or CalledProcessError."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=stem.parent) as folder:
        objects = []
        for name in KERNELS:
            path = Path(folder) / f"{name}.o"
            path.write_bytes(_object_code(name))
            objects.append(path)
        library = Path(folder) / "kernels.so"
        subprocess.run(["ld", "-shared", "-o", library, *objects], check=True, capture_output=True)
        target = stem.with_name(f"{stem.name}-{checksum(library)}.so")
        library.replace(target)
    return target


def _object_code(name: str) -> bytes:
    """Position-independent machine code of one kernel, exported under its name."""
    compiled = _compiled(name)
    text = _NEVER_CALLED.sub(_stub, compiled.inspect_llvm())
    module = llvm.parse_assembly(text)
    module.get_function(compiled.native_name).name = name
    module.verify()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="pic",
        codemodel="small",
    )
    code: bytes = machine.emit_object(module)
    return code


def _stub(declaration: re.Match[str]) -> str:
    """A function that only says that it must not be reached, in place of an undefined one."""
    text = declaration[0].replace("declare", "define internal", 1)
    return re.sub(r"\s*(#\d+)?\s*$", " { unreachable }", text)


if __name__ == "__main__":
    compile_library(Path(sys.argv[1]))
