"""The examples in docstrings run as they stand, and every public function has the whole form."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.util import find_spec
from typing import Any

import pytest

import minitensor

PARTS = ("Args:", "Returns:", "Raises:", "Example:", "Source:")


def modules() -> list[str]:
    """Every module of the package but those that need TensorFlow, lack numba or are programs."""
    names = [m.name for m in pkgutil.walk_packages(minitensor.__path__, "minitensor.")]
    left_out = (".reference", "__main__", *([] if find_spec("numba") else [".numpy.compiled"]))
    return ["minitensor", *(n for n in names if not any(part in n for part in left_out))]


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def examples(module_name: str) -> Iterator[doctest.DocTest]:
    """The docstrings of a module that have examples, each with an empty namespace."""
    module = importlib.import_module(module_name)
    for example in doctest.DocTestFinder().find(module, globs={}):
        if example.examples:
            yield example


def run_examples(example: doctest.DocTest) -> str:
    """What doctest says of the examples that do not print what they say, or nothing."""
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=said.append)
    return "".join(said)


@pytest.mark.parametrize("name", sorted({room(module) for module in modules()}))
def test_examples_run_as_they_are_pasted_and_print_what_they_say(name: str) -> None:
    here = [module for module in modules() if room(module) == name]
    wrong = "".join(run_examples(example) for module in here for example in examples(module))
    assert not wrong, wrong


def test_an_example_that_leans_on_its_file_or_prints_something_else_is_seen() -> None:
    def parsed(text: str) -> doctest.DocTest:
        return doctest.DocTestParser().get_doctest(text, {}, "text", None, None)

    assert "NameError" in run_examples(parsed(">>> relu(-1.0)\n0.0\n"))
    assert "Expected" in run_examples(parsed(">>> 1 + 1\n3\n"))
    assert run_examples(parsed(">>> 1 + 1\n2\n")) == ""


# ----- the form: what all functions of a file have in common stands once, on top of the file -----

MIRRORS = ("", "config", "debugging", "image", "io", "linalg", "math", "nn", "random", "strings")
FUNCTIONS = {
    f"{mirror}.{name}".strip("."): value
    for mirror in MIRRORS
    for module in [importlib.import_module(f"minitensor.{mirror}".strip("."))]
    for name in getattr(module, "__all__", vars(module))
    for value in [getattr(module, name)]
    if inspect.isfunction(value) and not name.startswith("_")
}
ENTRY = re.compile(r"^ +((?:[\w*]+, )*[\w*]+):", re.MULTILINE)  # "    x, y, other_*: numbers"


def contract(function: Any) -> str:
    """What the file of a function says of all its functions."""
    return sys.modules[function.__module__].__doc__ or ""


def unexplained(function: Any, file_says: str) -> list[str]:
    """Arguments that have no entry in the docstring and are no `word` in it or in the file's."""
    text = inspect.getdoc(function) or ""
    own = [name.strip() for entry in ENTRY.findall(text) for name in entry.split(",")]
    return [
        name
        for name in inspect.signature(function).parameters
        if not any(fnmatch(name, entry) for entry in own)
        if f"`{name}`" not in text + file_says
    ]


@pytest.mark.parametrize("mirror", ["nn", "image"])
def test_public_functions_document_every_part(mirror: str) -> None:
    for name, function in FUNCTIONS.items():
        if name.startswith(f"{mirror}."):
            text = (inspect.getdoc(function) or "") + contract(function)
            missing = [part for part in PARTS if part not in text]
            assert not missing, f"{name} lacks {missing}"


def test_every_argument_of_a_public_function_is_explained() -> None:
    found = {name: unexplained(f, contract(f)) for name, f in FUNCTIONS.items()}
    assert not {name: words for name, words in found.items() if words}


def test_an_argument_that_nothing_explains_is_seen() -> None:
    def scaled(x: float, factor: float, name: str) -> None:
        """x times a factor.

        Args:
            x: a number.
        """

    assert unexplained(scaled, "`name` is ignored, and a factor") == ["factor"]
