"""The examples in public docstrings run, and every public function has the whole form."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import minitensor

PARTS = ("Args:", "Returns:", "Raises:", "Example:", "Source:")


def modules() -> list[str]:
    names = [m.name for m in pkgutil.walk_packages(minitensor.__path__, "minitensor.")]
    return ["minitensor", *(n for n in names if "parity" not in n and "__main__" not in n)]


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings_print_what_they_say(name: str) -> None:
    module = importlib.import_module(name)
    globs = {**vars(module), "mt": minitensor}
    results = doctest.testmod(module, globs=globs, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


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
