"""The skeleton of an op: four files, of which one gets a line."""

from __future__ import annotations

import minitensor
from minitensor.new.checkout import FileChange, in_order

OPS = '''"""NAME. TODO: what it computes, in a line."""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor, primitive
from minitensor.backend.protocol import Backend

# A primitive computes with raw arrays: `be.xp` is NumPy, or what stands for it on a GPU, and `be`
# has the functions of backend/protocol.py. Settings (sizes, words) come after the `*`.
#
# If ops that exist already can say it, let them: drop the decorator, `be` and the derivative, and
# write a function of Tensors. Its derivatives, of every order, are then those of what it calls.


@primitive
def NAME(be: Backend, x: Any) -> Any:
    """TODO: the definition, as a formula."""
    raise NotImplementedError("nn.NAME: write its definition in minitensor/ops/NAME.py")


def _grad_x(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """The cotangent g of y carried back to x; made of ops, so that it has derivatives itself."""
    raise NotImplementedError("nn.NAME: write its derivative in minitensor/ops/NAME.py")


NAME.defvjp(_grad_x)  # one for each tensor argument, in their order
'''

NN = '''"""nn.NAME: arguments in, errors out, then `ops.NAME`."""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.nn import checks
from minitensor.ops import NAME as ops

__all__ = ["NAME"]


def NAME(x: Any, name: str | None = None) -> Tensor:
    """TODO: one sentence that says what it computes.

    TODO: the definition, as a formula: y[i] = ...

    Args:
        x: floats of any shape. TODO: and a line for each other argument.
        name: ignored.

    Returns:
        TODO: the shape, such as (N, H, W, C)

    Raises:
        TypeError: x holds no floats. TODO: and what else is refused.

    Example:
        >>> import minitensor as tf
        TODO: >>> tf.nn.NAME(...), and what it prints

    Source: TODO: SOURCE
    """
    # What is not legal is refused here, before anything is computed, in words that say what came,
    # what is legal and how to mend it. Tensors and axes: nn/checks.py. Windows, strides, padding
    # and data_format: nn/arguments.py, as nn/pooling.py uses it.
    (x,) = checks.floats("NAME", x=x)
    return ops.NAME(x)
'''

CASES = '''"""Cases of nn.NAME, JUDGE."""

from __future__ import annotations

from collections.abc import IteratorTYPING

from minitensor.parity.case import Case, Op, call

AREA = "norms, curves, losses"  # its heading in the ledger
OPS = {"nn.NAME": Op("smooth")}  # how it rounds, and whether it calls kernels: parity/ops.py


def cases() -> Iterator[Case]:
    """Shapes, then settings; a `T` is a tensor of other values, or of one dtype: parity/case.py."""
    # TODO: rows for every setting, at borders, for ties, with zeros; where there is no slope,
    # dataclasses.replace(case, order=0) asks for values alone
    yield call("nn.NAME", (3, 4)COMPOSED)
'''

COMPOSITION = '''

def by_simpler_ops(tf: Any, x: Any) -> Any:
    """The same, another way: out of ops that stand in the ledger already."""
    raise NotImplementedError("nn.NAME: write it of other ops in parity/cases/NAME.py")
'''


def taken(name: str) -> str:
    """The public function that has this name, or nothing."""
    return f"nn.{name}" if hasattr(minitensor.nn, name) else ""


def file_changes(name: str, of_tf: bool) -> list[FileChange]:
    """The files of an op; with `of_tf` its judge is TensorFlow."""
    source = f"tf.nn.{name}" if of_tf else "the paper; TensorFlow has none"
    words = {"JUDGE": "beside TensorFlow's", "TYPING": "", "COMPOSED": ""}
    if not of_tf:
        words["JUDGE"] = "which TensorFlow has not: simpler ops are its judge"
        words["TYPING"] = "\nfrom typing import Any"
        words["COMPOSED"] = ", composition=by_simpler_ops"
    cases = CASES if of_tf else CASES + COMPOSITION

    def named(text: str) -> str:
        for word, value in {**words, "NAME": name, "SOURCE": source}.items():
            text = text.replace(word, value)
        return text

    ops, nn, rows = (f"minitensor/{room}/{name}.py" for room in ("ops", "nn", "parity/cases"))
    line = in_order(f"from minitensor.nn.{name} import *", r"from minitensor\.nn\.\w+ import \*")
    return [
        FileChange(ops, named(OPS), "the definition and its derivatives"),
        FileChange(nn, named(NN), "what a user calls: words in, errors out, docstring"),
        FileChange("minitensor/nn/__init__.py", line, "its name in tf.nn"),
        FileChange(rows, named(cases), "the calls that judge it"),
    ]


def steps(name: str, of_tf: bool) -> list[str]:
    """What is left to do, each with the test that says so."""
    judge = (
        f"minitensor/parity/cases/{name}.py: rows; record TensorFlow's answers and signature:\n"
        "     minitensor parity --record; python tests/core/test_signatures.py"
        if of_tf
        else f"minitensor/parity/cases/{name}.py: rows, and the composition that judges them\n"
        f"     (does TensorFlow have nn.{name}? then begin again with --tf)"
    )
    return [
        f"minitensor/ops/{name}.py: the definition, then the derivative of each tensor argument",
        f"minitensor/nn/{name}.py: the arguments, their errors, the docstring",
        judge,
        f"minitensor parity --recorded --op nn.{name}: all lines "
        + ("equal" if of_tf else "ours alone"),
        "pytest tests/core/test_unfinished.py: what is still TODO",
        "pytest tests/core tests/parity: all that every op must pass",
        "ruff check --fix . && ruff format . && mypy",
    ]
