"""The kernels against TensorFlow's recorded answers: the whole case table.

On the emulator always, on `cuda` where a GPU is (see backends.py). Values, gradients and second
derivatives, in every dtype of the table; then the same from arrays that are not contiguous; and
bad input, which must raise what it raises on NumPy, before any kernel runs.
"""

import importlib.util
from collections import Counter
from dataclasses import replace

import bad_input
import numpy as np
import pytest
from backends import KERNEL_BACKENDS

import minitensor as mt
from minitensor.backend import devices
from minitensor.parity import ledger
from minitensor.parity.answers import load
from minitensor.parity.bounds import UNIT, scales
from minitensor.parity.cases import table
from minitensor.parity.known_tf_bugs import UNKNOWN, explain
from minitensor.parity.ledger import DIFFER, WRONG, our_side
from minitensor.parity.ops import KERNELS

CASES = table()
ANSWERS, _ = load()
OPS = sorted({case.op for case in CASES})
COUNT: Counter[str] = Counter()


@pytest.fixture
def launched(monkeypatch):
    """Names of the kernels that ran, per backend."""
    seen = []
    for name in KERNEL_BACKENDS:
        device = module(name).device
        launch = device.launch

        def watched(kernel, *arguments, launch=launch, **settings):
            seen.append(kernel)
            launch(kernel, *arguments, **settings)

        monkeypatch.setattr(device, "launch", watched)
    return seen


def module(name):
    return devices.backend(devices.kind_of_backend(name))


def defects(rows):
    """What must not be: lines where we differ, and faults of TensorFlow that have no name."""
    return [
        f"{row.case} {row.dtype} order {row.order}: {row.verdict}, {row.words}"
        for row in rows
        if row.verdict == DIFFER or (row.verdict == WRONG and explain(row) == UNKNOWN)
    ]


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("name", KERNEL_BACKENDS)
def test_the_kernels_give_tensorflows_answers_to_the_second_order(name, op, launched):
    rows, dtypes, ran = [], set(), set()
    for case in (case for case in CASES if case.op == op):
        measured = scales(our_side(), case) if {*case.dtypes} & {*UNIT} else []
        for dtype in case.dtypes:
            if (name, dtype) == ("cuda", "bfloat16"):  # CuPy has none
                continue
            launched.clear()
            with mt.device(devices.kind_of_backend(name)):
                rows += ledger.judge_case(our_side(name), case, dtype, ANSWERS, measured)
            COUNT.update({"kernels launched": len(launched)})
            dtypes.add(dtype)
            ran |= {dtype} if launched else set()
    COUNT.update({f"lines on {name}": len(rows)})
    COUNT.update(f"{row.verdict} on {name}" for row in rows)
    assert rows
    idle = {dtype for dtype in dtypes - ran if "int" not in dtype}
    assert op not in KERNELS or not idle
    assert defects(rows) == []


@pytest.mark.parametrize("rung", ["direct", "im2col", "tiled", "register"])
@pytest.mark.parametrize("op", ["nn.conv2d", "nn.conv2d_transpose"])
@pytest.mark.parametrize("name", KERNEL_BACKENDS)
def test_every_rung_of_the_ladder_gives_tensorflows_answers(name, op, rung):
    for case in [case for case in CASES if case.op == op and "float32" in case.dtypes][::2]:
        measured = scales(our_side(), case)  # by NumPy, which does not have every rung
        with mt.algorithm(rung), mt.device(devices.kind_of_backend(name)):
            rows = list(ledger.judge_case(our_side(name), case, "float32", ANSWERS, measured))
        assert defects(rows) == []


def test_the_count_is_told(capsys):
    with capsys.disabled():
        print(f"\nparity of the kernels: {dict(sorted(COUNT.items()))}")
    assert not [name for name in COUNT if name.startswith(DIFFER)]


# ----- arrays that are not contiguous -----


def every_other(array):
    """The same numbers in every other column of a wider array of NaN."""
    wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), 77, array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def backwards(array):
    """The same numbers, stored from last to first, columns before rows."""
    return np.asfortranarray(array[::-1])[::-1]


def viewed(name, view):
    """A Side whose tensors, cotangents too, are views that are not contiguous."""

    def tensor(array):
        made = view(array) if array.ndim and array.size > 1 else array
        return mt.Tensor(module(name).asarray(made))

    return replace(our_side(name), tensor=tensor)


@pytest.mark.parametrize("view", [every_other, backwards])
@pytest.mark.parametrize("op", sorted(KERNELS))
@pytest.mark.parametrize("name", KERNEL_BACKENDS)
def test_arrays_need_not_be_contiguous(name, op, view):
    side = viewed(name, view)
    cases = [case for case in CASES if case.op == op and "float32" in case.dtypes]
    for case in cases[:: max(1, len(cases) // 4)]:
        measured = scales(our_side(), case)
        for dtype in [d for d in ("float32", "float16") if d in case.dtypes]:
            rows = ledger.judge_case(side, case, dtype, ANSWERS, measured)
            assert defects(rows) == []


@pytest.mark.parametrize("name", KERNEL_BACKENDS)
def test_the_views_are_not_contiguous(name):
    x = mt.constant(np.arange(12.0).reshape(3, 4)).numpy()
    for view in (every_other, backwards):
        made = viewed(name, view).tensor(x)
        assert not made.array.flags.c_contiguous
        np.testing.assert_array_equal(made.numpy(), x)


# ----- bad input -----


def again(name):
    """bad_input.py once more, every tensor in it made on another backend."""
    spec = importlib.util.spec_from_file_location("bad_input_again", bad_input.__file__)
    there = importlib.util.module_from_spec(spec)
    with mt.device(devices.kind_of_backend(name)):
        spec.loader.exec_module(there)
    return there


def said(call):
    """The type and the words of the error that a call raises; layers are numbered anew."""
    mt.keras.backend.clear_session()
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize("name", KERNEL_BACKENDS)
def test_bad_input_raises_the_same_words_before_any_kernel_runs(name, launched):
    there = again(name)
    launched.clear()
    assert there.X.device.endswith(f"{devices.kind_of_backend(name)}:0")
    for here, row in zip(bad_input.TABLE, there.TABLE, strict=True):
        with mt.device(devices.kind_of_backend(name)):
            found = said(row.values[0].call)
        assert found == said(here.values[0].call), here.id
    assert launched == []
