"""The parity ledger: our engine against TensorFlow's recorded answers, and the ledger itself.

Every call of the table is judged, op by op and dtype by dtype; tests marked `live` ask TensorFlow.
"""

import json
import pickle
import signal
import sys
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest

import minitensor
from minitensor.cli import main
from minitensor.parity import bounds, ledger, oracle, tables
from minitensor.parity.answers import Answer, Job, load, save, without_repeats
from minitensor.parity.case import T, call, draw, fill, literal
from minitensor.parity.cases import table
from minitensor.parity.known_tf_bugs import UNKNOWN, explain
from minitensor.parity.ledger import ALONE, CANNOT, DIFFER, EQUAL, WRONG, Claims, our_side, verdict
from minitensor.parity.tables import DTYPES

CASES = table()
ANSWERS, ABOUT = load()
OPS = sorted({case.op for case in CASES})
NN = """conv1d conv2d conv3d convolution conv1d_transpose conv2d_transpose conv3d_transpose
conv_transpose atrous_conv2d atrous_conv2d_transpose depthwise_conv2d
depthwise_conv2d_backprop_input depthwise_conv2d_backprop_filter separable_conv2d max_pool
max_pool1d max_pool2d max_pool3d avg_pool avg_pool1d avg_pool2d avg_pool3d pool
max_pool_with_argmax bias_add batch_normalization moments fused_batch_norm
local_response_normalization lrn l2_normalize l2_loss layer_normalization
instance_normalization group_normalization relu relu6 leaky_relu elu selu gelu swish silu
softplus softsign crelu sigmoid tanh softmax log_softmax softmax_cross_entropy_with_logits
sparse_softmax_cross_entropy_with_logits sigmoid_cross_entropy_with_logits space_to_depth
depth_to_space space_to_batch erosion2d dilation2d in_top_k zero_fraction"""


def judged(op, *dtypes):
    """The ledger of one op in some dtypes."""
    return ledger.judge([case for case in CASES if case.op == op], dtypes or DTYPES, ANSWERS)


@pytest.mark.parametrize("op", OPS)
def test_we_never_differ_and_every_fault_of_tensorflow_has_a_name(op):
    rows = judged(op)
    asked = [
        (c.key, dtype) for c in CASES if c.op == op and not c.composition for dtype in c.dtypes
    ]
    unheard = [sample for sample in asked if sample not in ANSWERS]
    assert not unheard, f"{op}: TensorFlow's answers are not recorded: minitensor parity --record"
    assert {(row.case.key, row.dtype) for row in rows} == {
        (case.key, dtype) for case in CASES if case.op == op for dtype in case.dtypes
    }
    assert [
        f"{row.case} {row.dtype} order {row.order}: {row.words}"
        for row in rows
        if row.verdict == DIFFER
    ] == []
    assert [str(row.case) for row in rows if row.verdict == WRONG and explain(row) == UNKNOWN] == []


def test_the_table_is_as_large_as_promised_and_recorded_whole():
    samples = [(case, dtype) for case in CASES for dtype in case.dtypes if not case.composition]
    assert len(samples) >= 1200
    assert sum(case.orders(dtype) + 1 for case, dtype in samples) >= 4000
    assert {(case.key, dtype) for case, dtype in samples} == set(ANSWERS)


def test_the_table_names_every_op_that_was_asked_for():
    assert {f"nn.{name}" for name in NN.split()} <= {case.op for case in CASES}


def test_every_case_is_pure_data():
    for case in CASES:
        data = asdict(replace(case, composition=None))
        assert json.loads(json.dumps(data))["op"] == case.op


def test_drawn_numbers_are_the_same_on_every_machine():
    drawn = fill(T((3,)), "a seed", "float64")
    assert drawn.tolist() == [-0.9008808135986328, 1.9761505126953125, -0.4773216247558594]
    assert (drawn == drawn.astype("float32")).all()


def test_float32_convolutions_are_bounded_by_eight_roundoffs_of_the_sum_of_sizes():
    case = replace(call("nn.conv1d", (1, 3, 1), (3, 1, 1), stride=1, padding="VALID"), order=0)
    x, kernel = draw(case, "float64")
    size = np.abs(x.ravel() * kernel.ravel()).sum()
    ((scale,),) = bounds.scales(our_side(), case)
    np.testing.assert_allclose(scale.ravel(), [size], rtol=1e-15)
    room = bounds.bound(case, "float32", scale, scale)
    np.testing.assert_allclose(room.ravel(), [8 * 2.0**-24 * size], rtol=1e-15)


def test_a_curve_is_bounded_by_its_condition():
    case = replace(call("exp", literal((2,), 1.0, 3.0)), order=0)
    ((scale,),) = bounds.scales(our_side(), case)  # |y| + |x y'| = (1 + |x|) exp(x)
    np.testing.assert_allclose(scale, [2 * np.e, 4 * np.e**3], rtol=1e-5)


@pytest.mark.parametrize(
    ("value", "dtype", "step"), [(1.0, "float16", 2**-10), (3.0, "bfloat16", 2**-6)]
)
def test_ulp_is_the_distance_between_neighbours(value, dtype, step):
    assert bounds.ulp(np.array(value), dtype) == step


RELU = replace(call("nn.relu", literal((1,), 1.0)), order=0)


def verdict_of(ours, said, proof=None, dtype="float32"):
    """The verdict on one number that claims `ours`, given what others say."""
    parts = {route: [np.array([value], dtype)] for route, value in said.items()}
    shown = ("proof", [np.array([proof], dtype)]) if proof is not None else None
    claims = Claims(RELU, dtype, 0, parts, shown, "refused")
    return verdict(Answer([[np.array([ours], dtype)]]), claims, [np.array([1.0])])


@pytest.mark.parametrize(
    ("ours", "said", "proof", "expected"),
    [
        (1.0, {"eigen": 1.0}, None, EQUAL),
        (1.0, {"eigen": 1.0, "onednn": 1.0 + 2.0**-23}, None, EQUAL),
        (1.0, {"eigen": 1.0, "onednn": 2.0}, None, DIFFER),
        (1.0, {"eigen": 1.0, "onednn": 2.0}, 1.0, WRONG),
        (1.0, {"eigen": np.nan}, None, DIFFER),
        (np.nan, {"eigen": np.nan}, None, EQUAL),
        (np.inf, {"eigen": -np.inf}, np.inf, WRONG),
        (1.0, {}, 1.0, CANNOT),
        (1.0, {}, 2.0, DIFFER),
        (1.0, {}, None, DIFFER),
        (1.0, {"eigen": 2.0}, 3.0, DIFFER),
    ],
)
def test_verdicts_follow_from_the_numbers(ours, said, proof, expected):
    assert verdict_of(ours, said, proof).verdict == expected


def test_another_shape_or_dtype_is_a_difference():
    ours = Answer([[np.ones(2, "float32")]])
    for theirs in (np.ones((2, 1), "float32"), np.ones(2, "float64")):
        claims = Claims(RELU, "float32", 0, {"eigen": [theirs]}, None, "")
        assert verdict(ours, claims, [np.ones(2)]).verdict == DIFFER


def test_a_planted_wrong_answer_makes_the_command_fail(monkeypatch, capsys):
    right = minitensor.nn.relu
    monkeypatch.setattr(minitensor.nn, "relu", lambda features: right(features) * 1.00001)
    assert main(["parity", "--recorded", "--op", "nn.relu", "--dtype", "float64"]) == 1
    assert "we differ" in capsys.readouterr().out


def test_a_planted_wrong_gradient_is_found_though_values_agree():
    right = minitensor.nn.l2_loss

    def flat(t):  # the value, but a gradient of zero
        return minitensor.stop_gradient(right(t)) + 0.0 * minitensor.reduce_sum(t)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minitensor.nn, "l2_loss", flat)
        rows = judged("nn.l2_loss", "float64")
    assert {row.order for row in rows if row.verdict == DIFFER} == {1, 2}


def by_columns(tf, patches, image_size, **settings):
    """A composition that is wrong: the values of add_patches, and gradients of twice that."""
    right = minitensor.image.add_patches(patches, image_size, **settings)
    return 2 * right - minitensor.stop_gradient(right)


ALONE_CASES = [case for case in CASES if case.composition]


def test_what_is_ours_alone_is_judged_by_a_composition_and_by_central_differences(monkeypatch):
    case = next(case for case in ALONE_CASES if case.op == "image.add_patches")
    right = minitensor.image.add_patches

    def verdicts():
        return [row.verdict for row in ledger.judge([case], ["float64"], {})]

    assert verdicts() == [ALONE, ALONE, ALONE]
    monkeypatch.setattr(minitensor.image, "add_patches", lambda *a, **s: right(*a, **s) * 1.001)
    assert verdicts() == [DIFFER, DIFFER, DIFFER]
    monkeypatch.setattr(minitensor.image, "add_patches", right)
    case = replace(case, composition=by_columns)
    assert verdicts() == [ALONE, DIFFER, DIFFER]

    def half_the_gradient(*args, **settings):
        y = right(*args, **settings)
        return 0.5 * (y + minitensor.stop_gradient(y))

    monkeypatch.setattr(minitensor.image, "add_patches", half_the_gradient)
    case = replace(
        case, composition=lambda tf, *args, **settings: half_the_gradient(*args, **settings)
    )
    assert verdicts() == [
        ALONE,
        DIFFER,
        DIFFER,
    ]  # the composition is wrong alike: differences see it


def test_what_is_ours_alone_stands_in_the_ledger(tmp_path, capsys):
    path = tmp_path / "ledger.md"
    assert main(["parity", "--recorded", "--op", "add_patches", "--markdown", str(path)]) == 0
    assert "30 ours alone" in " ".join(capsys.readouterr().out.split())
    assert "| image.add_patches | 30 (float64, float32, float16, bfloat16) |" in path.read_text()
    assert "parity.cases.pool.transposed_patches" in path.read_text()


def test_the_command_writes_its_three_reports(tmp_path):
    names = {name: tmp_path / f"ledger.{name}" for name in ("json", "html", "markdown")}
    options = [part for name, path in names.items() for part in (f"--{name}", str(path))]
    assert main(["parity", "--recorded", "--op", "nn.max_pool3d", *options]) == 0
    written = json.loads(names["json"].read_text())
    assert written["about"]["tensorflow"] == ABOUT["tensorflow"]
    assert (
        Counter(line["verdict"] for line in written["lines"])
        == Counter(written["counts"]) - Counter()
    )
    assert "NaN is dropped" in names["html"].read_text()
    assert names["markdown"].read_text().count("| --- |") >= 2


def test_an_op_that_is_not_there_is_said_in_one_line(capsys):
    assert main(["parity", "--recorded", "--op", "no_such_op"]) == 2
    assert "no op matches 'no_such_op'" in capsys.readouterr().err


def test_without_tensorflow_the_recording_speaks_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(oracle, "version", lambda: "")
    assert main(["parity", "--op", "nn.relu6", "--dtype", "float32"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        f"TensorFlow {ABOUT['tensorflow']} (Keras {ABOUT['keras']}), recorded {ABOUT['date']}"
        in said
    )


def test_repeated_answers_are_left_out_and_contradictions_kept():
    one, other = [np.ones(2)], [np.ones(2) * 2]
    routes = {"eigen": Answer([one]), "onednn": Answer([one]), "proof": Answer([other])}
    kept = without_repeats(routes, "float32")
    assert kept["onednn"].at(0) is None
    assert kept["proof"].at(0) is other


def test_recorded_answers_come_back_as_they_were(tmp_path):
    bfloat16 = minitensor.bfloat16
    arrays = [np.array([[1.5, np.nan]]), np.array([3, 4], "int64"), np.array([0.5], bfloat16)]
    answers = {("key", "float64"): {"eigen": Answer([arrays, None], {2: "no gradient"})}}
    save(tmp_path / "answers.npz", answers, {"tensorflow": "0"})
    back, about = load(tmp_path / "answers.npz")
    answer = back["key", "float64"]["eigen"]
    assert about == {"tensorflow": "0"}
    assert answer.errors == {2: "no gradient"}
    assert answer.at(1) is None
    for before, after in zip(arrays, answer.at(0), strict=True):
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)


def test_a_worker_that_dies_is_an_outcome_and_the_next_job_is_answered(tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(
        "import os, pickle, sys\n"
        "from minitensor.parity.answers import Answer\n"
        "def say(thing):\n"
        "    sys.stdout.buffer.write(pickle.dumps(thing)); sys.stdout.buffer.flush()\n"
        "say('a version')\n"
        "while True:\n"
        "    job = pickle.load(sys.stdin.buffer)\n"
        "    if job.order == 2: os.abort()\n"
        "    say(Answer([[] for _ in range(job.order + 1)]))\n"
    )
    worker = oracle.Worker(onednn=False, command=[sys.executable, str(script)])
    answer = worker.ask(Job(RELU, "float32", "direct", 2))
    assert answer.errors == {2: f"killed by {signal.SIGABRT.name}"}
    assert len(answer.orders) == 2
    assert len(worker.ask(Job(RELU, "float32", "direct", 0)).orders) == 1
    assert worker.deaths == 1
    worker.process.kill()
    worker.close()


def test_cases_travel_to_the_worker():
    assert all(pickle.loads(pickle.dumps(case)).key == case.key for case in CASES[::50])


def test_the_summary_counts_every_line_once():
    rows = judged("nn.max_pool2d", "float32") + judged("add", "float32")
    total = tables.by_area(rows).rows[-1]
    assert total[2] == str(len(rows)) == tables.tally(rows).split()[0]
    assert sum(map(int, total[3:8])) == len(rows)


@pytest.mark.live
def test_tensorflow_itself_says_what_is_recorded(tf):
    chosen = [case for case in CASES if case.op in ("nn.max_pool3d", "nn.softsign", "nn.conv2d")][
        ::15
    ]
    answers = oracle.ask(chosen, ["float64", "float32"], lambda: None)
    fresh = ledger.judge(chosen, ["float64", "float32"], answers)
    before = ledger.judge(chosen, ["float64", "float32"], ANSWERS)
    assert not tables.failed(fresh)
    if oracle.version() == ABOUT["tensorflow"]:
        assert [row.verdict for row in fresh] == [row.verdict for row in before]
    assert tf.__version__ == oracle.version()
