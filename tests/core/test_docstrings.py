"""The examples in docstrings run as they stand, and every public function has the whole form."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest

import minitensor

PARTS = ("Args:", "Returns:", "Raises:", "Example:", "Source:")
NOT_YET_PASTEABLE = (  # rooms whose examples still lean on what their file imports; shrinks to none
    *("autograd", "backend", "data", "keras", "models", "parity", "train"),
)


def modules() -> list[str]:
    """Every module of the package but those that need TensorFlow or are programs."""
    names = [m.name for m in pkgutil.walk_packages(minitensor.__path__, "minitensor.")]
    return ["minitensor", *(n for n in names if ".reference" not in n and "__main__" not in n)]


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def examples(module_name: str) -> Iterator[doctest.DocTest]:
    """The docstrings of a module that have examples, each with an empty namespace."""
    module = importlib.import_module(module_name)
    for example in doctest.DocTestFinder().find(module, globs={}):
        if module_name.startswith(tuple(f"minitensor.{room}" for room in NOT_YET_PASTEABLE)):
            example.globs = {**vars(module), "mt": minitensor}
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


HOMES = {"nn": minitensor.nn, "image": minitensor.image}
FUNCTIONS = {
    f"{home}.{name}": value
    for home, module in HOMES.items()
    for name, value in vars(module).items()
    if inspect.isfunction(value) and not name.startswith("_")
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_document_every_part(name: str) -> None:
    text = inspect.getdoc(FUNCTIONS[name]) or ""
    missing = [part for part in PARTS if part not in text]
    assert not missing, f"{name} lacks {missing}"
