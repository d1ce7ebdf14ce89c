"""Names of arguments, their order and their defaults are TensorFlow's, letter for letter.

TensorFlow's are recorded in data/tf_signatures.json, so that this runs without it; where it is
installed, the record is compared with it. To record anew: python tests/core/test_signatures.py
"""

import inspect
import json
import pickle
from enum import Enum
from pathlib import Path

import numpy as np

import minitensor
from minitensor.parity.cases import table
from minitensor.parity.ops import OPS
from minitensor.parity.reference import LAYERS

RECORD = Path(__file__).parents[1] / "support" / "tf_signatures.json"
ROOMS = ("", "math", "nn", "image", "random", "linalg", "config", "bitwise")
SETTINGS = {  # no ops: of our engine, which TensorFlow has not
    *("algorithm", "check_gradients", "show_graph", "to_device"),
    *("config.set_workspace_limit", "config.workspace_limit"),
    *("config.set_conv_precision", "config.conv_precision"),
}
OURS_ALONE = {  # what TensorFlow does not have, or not under this name, as the parity table says
    *SETTINGS,
    *(case.op for case in table() if case.composition),
    *(path for path, op in OPS.items() if op.reference),
    *LAYERS,
}


def public_functions():
    """Dotted names of the functions a user sees, without those of submodules."""
    for room in ROOMS:
        home = getattr(minitensor, room) if room else minitensor
        for name in getattr(home, "__all__", vars(home)):
            if inspect.isfunction(getattr(home, name)) and not name.startswith("_"):
                yield f"{room}.{name}" if room else name


def find(library, name):
    for part in name.split("."):
        library = getattr(library, part, None)
    return library


def described(function):
    """Each parameter as a word: "x", "axis=None", "*inputs"."""
    words = []
    for p in inspect.signature(function).parameters.values():
        stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        default = "" if p.default is p.empty else f"={written(p.default)}"
        words.append(f"{stars}{p.name}{default}")
    return words


def written(default):
    """A default in words that both libraries share: element types by name, enums by value."""
    if isinstance(default, Enum):
        default = default.value
    if type(default).__name__ == "DType" or isinstance(default, np.dtype):
        default = default.name
    return repr(default)


def recorded():
    return json.loads(RECORD.read_text())["signatures"]


NAMES = sorted(set(public_functions()) - OURS_ALONE)


def test_signatures_are_tensorflows():
    ours = {name: described(find(minitensor, name)) for name in NAMES}
    new = sorted(set(ours) - set(recorded()))
    assert not new, (
        f"{new}: TensorFlow's signature is not recorded: python tests/core/test_signatures.py; if "
        "TensorFlow has no such function, its rows in parity/cases need a composition="
    )
    assert ours == recorded()


def test_functions_also_those_of_a_table_are_pickled_and_found_by_name():
    for name in public_functions():
        function = find(minitensor, name)
        assert pickle.loads(pickle.dumps(function)) is function, name
        code = inspect.unwrap(function).__code__  # what tracebacks and profiles show
        assert code.co_name == function.__name__, name


def test_the_record_is_what_tensorflow_says(tf):
    live = {name: described(find(tf, name)) for name in recorded()}
    assert live == recorded()


def test_what_is_ours_alone_is_not_in_tensorflow(tf):
    assert [name for name in sorted(OURS_ALONE) if find(tf, name) is not None] == []
    assert set(public_functions()) >= OURS_ALONE


def record():
    import tensorflow

    signatures = {name: described(find(tensorflow, name)) for name in NAMES}
    RECORD.parent.mkdir(exist_ok=True)
    text = json.dumps({"tensorflow": tensorflow.__version__, "signatures": signatures}, indent=1)
    RECORD.write_text(text + "\n")


if __name__ == "__main__":
    record()
