"""The text of the kernels: where it lies, one flat string per file, and what a kernel takes.

Includes are flattened here, with #line directives so that compilers still name the file: one
string is what every compiler sees and what every cache is keyed by. The lines `KERNEL(name<...>);`
at the end of each .cu are the catalogue. Declarations are read by regular expression, because
kernels keep to a few parameter types (kernels/README.md); this is no C++ parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]
_INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
_INSTANCE = re.compile(r"^KERNEL\((.+)\);", re.MULTILINE)
_CONSTANT = re.compile(r"^constexpr int (\w+) = (.+?);", re.MULTILINE)
_DECLARATION = re.compile(
    r"(?:template\s*<(?P<template>[^>]*)>\s*)?"
    r"__global__\s+(?:__launch_bounds__\((?P<late>[^;{]*?)\)\s*)?"
    r"void\s+(?:__launch_bounds__\((?P<bounds>[^;{]*?)\)\s*)?"
    r"(?P<name>\w+)\s*\((?P<parameters>[^)]*)\)\s*\{"
)

_SAME = {  # other names of C++'s numbers, in kernels that are not ours
    "half": "half_t",
    "__half": "half_t",
    "unsigned": "unsigned int",
    "uint": "unsigned int",
    "int8_t": "signed char",
    "int16_t": "short",
    "int32_t": "int",
    "int64_t": "long long",
    "uint8_t": "unsigned char",
    "uint16_t": "unsigned short",
    "uint32_t": "unsigned int",
    "long": "long long",
    "unsigned long": "unsigned long long",
    "long int": "long long",
    "size_t": "unsigned long long",
    "uint64_t": "unsigned long long",
    "char": "signed char",
    "long long int": "long long",
    "ptrdiff_t": "long long",
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a kernel, its template parameters filled in."""

    name: str
    type: str  # "float", "long long", "Window", ...; what a pointer points to
    pointer: bool
    const: bool


@dataclass(frozen=True)
class Program:
    """A .cu with its includes in place, and the instances of its kernels that may be launched."""

    file: str  # a name in our folder, or the path of one's own
    text: str
    instances: tuple[str, ...]


@dataclass(frozen=True, eq=False)  # itself is a key of caches
class Kernel:
    """One instance of a kernel: `max_pool<float>`."""

    name: str
    program: Program
    threads: int  # the most threads in a block: __launch_bounds__
    parameters: tuple[Parameter, ...]

    @property
    def file(self) -> str:
        """Where it stands."""
        return self.program.file


@cache
def folder() -> Path:
    """The kernels' folder: inside the installed package, else beside it in the checkout."""
    for path in (_PACKAGE / "kernels", _PACKAGE.parent / "kernels"):
        if (path / "common.cuh").is_file():
            return path
    raise FileNotFoundError(
        f"no kernels beside {_PACKAGE}: the wheel carries them in minitensor/kernels, "
        "a checkout in kernels/; install minitensor again"
    )


def files() -> list[str]:
    """Names of our .cu files: those that list their kernels. Others may lie beside them."""
    paths = folder().glob("*.cu")
    return sorted(path.name for path in paths if _INSTANCE.search(path.read_text()))


@cache
def flat(file: str) -> str:
    """The text of a .cu with its local includes in place, each file once."""
    return flattened(file)


def flattened(file: str) -> str:
    """The same of any path, as it is now; what it includes lies beside it, or is ours."""
    return "\n".join(_lines(file, set())) + "\n"


def _lines(file: str, seen: set[str]) -> list[str]:
    if file in seen:
        return []
    seen.add(file)
    lines = [f'#line 1 "{file}"']
    for number, line in enumerate((folder() / file).read_text().splitlines(), 1):
        if include := _INCLUDE.match(line):
            beside = str(Path(file).parent / include[1])
            found = beside if (folder() / beside).is_file() else include[1]
            lines += [*_lines(found, seen), f'#line {number + 1} "{file}"']
        else:
            lines.append("" if line.strip() == "#pragma once" else line)
    return lines


def instances(file: str) -> list[str]:
    """The instances that the end of a .cu lists."""
    return _INSTANCE.findall((folder() / file).read_text())


@cache
def catalogue() -> dict[str, str]:
    """Every instance of every file -> its file."""
    owners: dict[str, str] = {}
    for file in files():
        for name in instances(file):
            if name in owners:
                raise ValueError(f"KERNEL({name}) stands in {owners[name]} and again in {file}")
            owners[name] = file
    return owners


def program(file: str) -> Program:
    """One of our files."""
    return Program(file, flat(file), tuple(instances(file)))


@cache
def kernel(name: str) -> Kernel:
    """What the instance `name` takes, read from its declaration.

    Raises:
        LookupError: no .cu lists the instance, or none declares the kernel.
    """
    if name not in catalogue():
        base = name.partition("<")[0]
        near = [n for n in catalogue() if n.partition("<")[0] == base] or list(catalogue())
        raise LookupError(f"no kernel {name!r}; the catalogue has {', '.join(near)}")
    return declared(program(catalogue()[name]), name)


def declared(program: Program, name: str) -> Kernel:
    """What an instance takes, read from its declaration in a program.

    Raises:
        LookupError: the program declares no such kernel, or several.
    """
    base, values = _split_instance(name)
    text = without_comments(program.text)
    found = [m for m in _DECLARATION.finditer(text) if m["name"] == base]
    if len(found) != 1:
        known = ", ".join(kernels(program)) or "no kernel at all"
        raise LookupError(
            f"{program.file}: {name} needs one __global__ {base}, got {len(found)}; there is "
            f"{known}"
        )
    names = [p.split("=")[0].split()[-1] for p in _split(found[0]["template"] or "")]
    if len(names) != len(values):
        raise LookupError(f"{program.file}: {name} should fill the parameters {', '.join(names)}")
    filled = dict(zip(names, values, strict=True))
    parameters = tuple(_parameter(part, filled) for part in _split(found[0]["parameters"]))
    bounds = found[0]["bounds"] or found[0]["late"] or "1024"
    return Kernel(name, program, _threads(bounds, program, filled), parameters)


def kernels(program: Program) -> list[str]:
    """All kernels that a program declares, a template as base<T, N>."""
    found = []
    for match in _DECLARATION.finditer(without_comments(program.text)):
        names = [p.split("=")[0].split()[-1] for p in _split(match["template"] or "")]
        found.append(match["name"] + f"<{', '.join(names)}>" * bool(names))
    return found


def _split_instance(name: str) -> tuple[str, list[str]]:
    base, _, rest = name.partition("<")
    return base, _split(rest.removesuffix(">"))


def _split(text: str) -> list[str]:
    """Parts between the commas that stand inside no bracket."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "<(") - (letter in ">)")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _parameter(text: str, filled: dict[str, str]) -> Parameter:
    words = " ".join(text.replace("__restrict__", " ").replace("*", " * ").split())
    kind, _, name = words.rpartition(" ")
    const, pointer = kind.startswith("const "), kind.endswith("*")
    kind = _substitute(kind.removeprefix("const ").removesuffix("*").strip(), filled)
    if inner := re.fullmatch(r"accumulator<(.+)>", kind):
        kind = "double" if inner[1].strip() == "double" else "float"
    return Parameter(name, _SAME.get(kind, kind), pointer, const)


def _threads(bounds: str, program: Program, filled: dict[str, str]) -> int:
    """__launch_bounds__(threads[, blocks]) in whole numbers, template parameters and constants."""
    constants = dict(_CONSTANT.findall(without_comments(program.text))) | filled
    expression, before = _split(bounds)[0], ""
    while expression != before:
        expression, before = _substitute(expression, constants, "({})"), expression
    if not re.fullmatch(r"[\d\s+*/()-]+", expression):
        raise LookupError(
            f"{program.file}: cannot work out __launch_bounds__({bounds}): {expression}"
        )
    return int(eval(expression.replace("/", "//")))


def _substitute(text: str, values: dict[str, str], form: str = "{}") -> str:
    return re.sub(
        r"\b[A-Za-z_]\w*\b", lambda m: form.format(values[m[0]]) if m[0] in values else m[0], text
    )


def without_comments(text: str) -> str:
    """C++ text, a space in place of each comment."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
