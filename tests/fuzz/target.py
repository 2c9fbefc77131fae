"""What all fuzz targets share: which functions the fuzzer watches, and how it is started."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType


def functions_of(modules: Iterable[ModuleType]) -> Iterator[FunctionType]:
    """Yield the functions and methods of modules, whose branches the fuzzer should see."""
    for module in modules:
        for thing in vars(module).values():
            members = vars(thing).values() if isinstance(thing, type) else [thing]
            yield from (
                one for one in members if isinstance(one, FunctionType) and one.__module__ == module.__name__
            )


def fuzz(check: Callable[[bytes], None], functions: Iterable[FunctionType], seeds: Path) -> None:
    """Run until the options say stop; libFuzzer ends the process itself."""
    import atheris  # here only, as the tests of the targets do without

    for function in functions:
        atheris.instrument_func(function)
    arguments = list(sys.argv)
    if all(argument.startswith("-") for argument in arguments[1:]):
        arguments.append("-seed_inputs=" + ",".join(str(seed) for seed in sorted(seeds.iterdir())))
    atheris.Setup(arguments, check)
    atheris.Fuzz()
