"""The benchmarks: what they time is what they say, and every path of them runs without a GPU."""

from __future__ import annotations

import importlib
import json
import os
import sys
from importlib.util import find_spec
from math import prod
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import (  # noqa: E402  (a checkout's folder, not an installed package)
    __main__,
    cases,
    clock,
    conv,
    layers,
    measure,
    memory,
    networks,
    report,
    roofline,
    worker,
)
from benchmarks import step as step_bench  # noqa: E402
from minitensor import config, pictures  # noqa: E402
from minitensor.backend import devices  # noqa: E402

LACK = devices.lack_of("EMULATOR")
TOOLS = pytest.mark.skipif(bool(LACK), reason=LACK)


# ----- what is timed -----


@pytest.mark.parametrize(
    ("network", "convolutions", "weights"),
    [  # parameters as torchvision counts them, less those of biases, norms and the last product
        ("vgg13", 10, 133_047_848 - 123_642_856 - 2_944),
        ("resnet18", 20, 11_689_512 - 513_000 - 9_600),
        ("resnet50", 53, 25_557_032 - 2_049_000 - 53_120),
        ("mobilenetv2", 52, 3_504_872 - 1_281_000 - 34_112),
    ],
)
def test_a_network_has_its_published_number_of_weights(network, convolutions, weights):
    table = layers.table(network, 1)
    assert sum(layer.count for layer in table) == convolutions
    assert sum(layer.count * prod(layer.filters) for layer in table) == weights


@pytest.mark.parametrize(
    ("network", "billions", "products"),
    [  # multiply-adds of one image as torchvision counts them, those of the last products with them
        ("vgg13", 11.308, 123_633_664),
        ("resnet18", 1.814, 512_000),
        ("resnet50", 4.089, 2_048_000),
        ("mobilenetv2", 0.301, 1_280_000),
    ],
)
def test_a_network_does_its_published_number_of_operations(network, billions, products):
    operations = sum(layer.count * layer.operations for layer in layers.table(network, 1))
    assert (operations / 2 + products) / 1e9 == pytest.approx(billions, abs=5.1e-4)


def test_deepbench_has_ninety_distinct_convolutions_and_the_first_gives_its_known_output():
    table = layers.table("deepbench", 1)
    assert len(table) == len(set(table)) == 90
    assert (table[0].input, table[0].output) == ((4, 161, 700, 1), (4, 79, 341, 32))


def test_the_operations_of_a_layer_are_two_per_tap_channel_and_output():
    layer = layers.Layer("", (2, 5, 5, 4), (3, 3, 2, 6), 2, "VALID")  # 2 groups, 2 x 2 outputs
    assert layer.operations == 2 * (2 * 2 * 2 * 6) * (3 * 3 * 2)


def test_a_subset_of_layers_is_always_the_same_and_has_both_extremes():
    every = layers.table("resnet50", 32)
    chosen = layers.spread_over(every, 6)
    intensity = [layer.operations / layer.traffic(4) for layer in every]
    assert len(chosen) == 6
    assert chosen == layers.spread_over(every[::-1], 6)[::-1]
    assert {every[int(np.argmin(intensity))], every[int(np.argmax(intensity))]} <= set(chosen)


@pytest.mark.parametrize(
    ("operation", "numbers"),
    [
        (memory.Operation("relu", (2, 4, 4, 3)), 2 * 96),
        (memory.Operation("adam", (2, 4, 4, 3)), 7 * 96),
        (memory.Operation("batch_norm", (2, 4, 4, 3)), 3 * 96),
        (memory.Operation("max_pool", (2, 4, 4, 3), 2, 2), 96 + 24),
        (memory.Operation("max_pool_grad", (2, 4, 4, 3), 2, 2), 2 * 96 + 24),
        (memory.Operation("cross_entropy", (2, 4, 4, 3)), 3 * 96),
        (memory.Operation("im2col", (2, 4, 4, 3), 3, 1), 96 + 9 * 96),
        (memory.Operation("depthwise_forward", (2, 4, 4, 3), 3, 2), 96 + 24),
    ],
)
def test_the_least_traffic_of_an_operation_is_four_bytes_per_number(operation, numbers):
    assert operation.traffic == 4 * numbers


@pytest.mark.parametrize(
    ("network", "count"),
    [
        ("lenet5", 60_074),
        ("mnist_cnn", 3_274_634),  # course text 2
        ("vgg13", 9_413_066),
        ("resnet18", 11_173_962),
        ("mobilenetv2", 3_504_872 - 1_281_000 + 12_810),  # torchvision's, with ten labels
        ("densenet40", 176_122),  # as pytorchcv counts densenet40_k12_bc_cifar10
    ],
)
def test_a_training_network_has_its_known_number_of_parameters(network, count):
    assert sum(map(np.size, networks.parameters(networks.NETWORKS[network]))) == count


@pytest.mark.parametrize("peer", ["tensorflow", "torch"])
@pytest.mark.parametrize(
    ("network", "option"),
    [
        *(("lenet5", "eager"), ("resnet18", "eager"), ("mnist_cnn", "keras")),
        *(("mobilenetv2", "eager"), ("densenet40", "keras")),
    ],
)
def test_a_peer_trains_the_same_network(peer, network, option, request):
    if peer == "tensorflow":
        request.getfixturevalue("tf")
    if find_spec(peer) is None:
        pytest.skip(f"{peer} is missing")
    case = {"network": network, "batch": 2, "precision": "fp32"}
    ours, theirs = (
        importlib.import_module(f"benchmarks.sides.{side}").Side("cpu").train(case, option)()
        for side in ("minitensor", peer)
    )
    tolerance = 1e-3 if network == "mnist_cnn" else 1e-4  # PyTorch's Adam has another epsilon
    for _ in range(2):  # the second loss follows from the first update
        assert float(ours()) == pytest.approx(float(theirs()), rel=tolerance)


@pytest.mark.parametrize("option", ["", "fast"])
def test_a_peer_gives_the_same_answer(option):
    pytest.importorskip("torch")
    case = {"network": "mobilenetv2", "batch": 1, "precision": "fp32"}
    sides = [
        importlib.import_module(f"benchmarks.sides.{side}").Side("cpu")
        for side in ("minitensor", "torch")
    ]
    ours, theirs = (np.asarray(side.infer(case, option)()()) for side in sides)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4 * np.abs(theirs).max())
    assert config.conv_precision() == "exact"  # a fast step leaves the others as they were


def test_a_column_trains_in_fit_and_its_cost_beyond_the_tape_is_told():
    case = {"network": "lenet5", "batch": 2, "updates": 3}
    step = importlib.import_module("benchmarks.sides.minitensor").Side("cpu").train(case, "fit")()
    step()
    assert step.updates == 3
    assert int(step._model.optimizer.iterations) == 3
    rows = [{"batch": 2, "milliseconds": {"minitensor keras": 10.0, "minitensor fit": 12.5}}]
    step_bench.add_figures(rows)
    assert rows[0]["percent"] == {"fit above keras": 25.0}
    assert rows[0]["images_per_second"] == {"minitensor fit": 160.0}


def test_of_an_epoch_the_time_of_one_update_is_told(monkeypatch):
    class Epoch:
        updates = 4

        def __call__(self):
            now.append(now[-1] + 2.0)

    now = [0.0]
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[-1])
    assert clock.HostClock().timer(Epoch, 0, False).sample() == 0.5


# ----- how it is timed -----


class Ticks:
    """A GPU whose every launch takes a millisecond, and which can record or refuse to."""

    def __init__(self, records):
        self.now, self.records, self.replays = 0.0, records, 0

    def mark(self):
        return self.now

    def seconds(self, start, stop):
        return stop - start

    def recorded(self, launch):
        if not self.records:
            raise RuntimeError("no capture")

        def replay():
            self.replays += 1
            launch()

        return replay

    def make(self):
        def step():
            self.now += 1e-3

        return step


@pytest.mark.parametrize("records", [True, False])
def test_a_series_of_launches_is_divided_into_single_ones(records):
    gpu = Ticks(records)
    timer = clock.DeviceClock(gpu).timer(gpu.make, 2**20, graph=True)
    assert timer.sample() == pytest.approx(1e-3)
    assert (gpu.replays > 0) == records
    assert timer.how.startswith("graph replay" if records else "events (no graph: RuntimeError")


def test_small_inputs_are_rotated_over_more_memory_than_the_cache_holds():
    gpu, made = Ticks(True), []
    clock.DeviceClock(gpu).timer(lambda: made.append(0) or gpu.make(), 4 * 2**20, graph=True)
    assert len(made) * 4 * 2**20 == 128 * 2**20


def test_a_ratio_is_to_the_fastest_peer():
    times = {"minitensor": 3.0, "minitensor tiled": 1.0, "torch nhwc": 2.0, "torch nchw": 4.0}
    assert report.ratios(times) == {"minitensor": 1.5, "minitensor tiled": 0.5}


def test_the_product_of_the_same_size_is_compared_and_is_no_algorithm():
    times = {"minitensor": 4.0, "minitensor product": 2.0, "torch nhwc": 1.0}
    row = {"group": "g", "milliseconds": times, "ratio": report.ratios(times)}
    assert row["ratio"] == {"minitensor": 4.0}
    content = {"rows": [row]}
    conv.add_products(content)
    assert content["geometric_mean_of_product"] == {"g": {"minitensor": 0.5}}


def test_a_pass_and_its_product_do_the_same_operations():
    layer = layers.Layer("", (2, 5, 5, 4), (3, 3, 4, 6), 2, "VALID")
    side = importlib.import_module("benchmarks.sides.minitensor")
    shapes = side.product_shapes(layer)
    assert {2 * prod(a) * b[1] for a, b in shapes.values()} == {layer.operations}


def test_a_part_of_the_roof_is_that_of_as_many_threads_and_what_is_beyond_is_explained():
    roof = {"copy": 1e9, "fp32": 1e10}
    row = {"name": "3x3", "precision": "fp32", "operations": 10**8, "traffic": 10**7}
    row |= {"threads": 2, "milliseconds": {"minitensor": 20.0, "minitensor fast": 5.0}}
    content = {"rows": [row], "ceilings": {"1": {"copy": 1.0, "fp32": 1.0}, "2": roof}}
    roofline.add_fractions(content)
    assert row["fraction"] == {"minitensor": 0.5, "minitensor fast": 2.0}
    (words,) = roofline.beyond(content["rows"])
    assert words.startswith("3x3, ours fast: 2.00 of the roof, Winograd")


@pytest.mark.parametrize("name", ["memory_cpu", "conv_deepbench_cpu", "step_cpu"])
def test_a_roofline_names_every_row_and_its_legend_is_inside(name):
    pytest.importorskip("matplotlib", reason="no pictures without matplotlib")
    content = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())
    with pictures.style():
        drawn = roofline.picture(content)
        drawn.draw_without_rendering()
    groups = len(content["ceilings"])
    first = [
        row for row in content["rows"] if str(row["threads"]) == next(iter(content["ceilings"]))
    ]
    named = [t.get_text() for t in drawn.axes[groups].get_yticklabels()]
    assert sorted(words.rpartition("  ")[0] for words in named) == sorted(r["name"] for r in first)
    numbers = [t.get_text() for t in drawn.axes[0].texts if t.get_text()[0].isdigit()]
    ends = [(int(a), int(b or a)) for a, _, b in (text.partition("-") for text in numbers)]
    assert [n for a, b in ends for n in range(a, b + 1)] == [*range(1, len(first) + 1)]
    (legend,) = drawn.legends
    box, inside = legend.get_window_extent(), drawn.bbox
    assert inside.x0 <= box.x0 <= box.x1 <= inside.x1


def test_every_figure_follows_the_one_style_sheet():
    rooms = (ROOT / room for room in ("minitensor", "benchmarks", "examples"))
    for file in (file for room in rooms for file in room.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if "matplotlib.figure" in text and file.name != "pictures.py":
            assert "with pictures.style(" in text, file


def test_a_worker_is_kept_on_as_many_cores_as_it_has_threads():
    child = worker.Worker("minitensor", "cpu", 1)
    assert len(os.sched_getaffinity(child.process.pid)) == 1
    child.close()
    case = {"name": "a", "group": "g", "also": ["h"]}
    one, two = cases.threaded([case], [1, 2])
    assert (one["threads"], one["group"], one["also"]) == (1, "g, 1 thread", ["h, 1 thread"])
    assert (two["threads"], two["group"]) == (2, "g, 2 threads")


def test_a_mean_over_layers_is_geometric_and_only_of_columns_that_ran_everywhere():
    rows = [{"group": "g", "ratio": {"a": 2.0, "b": 1.0}, "also": ["some"]}]
    rows += [{"group": "g", "ratio": {"a": 8.0}}]
    assert report.means(rows) == {"g": {"a": 4.0}, "some": {"a": 2.0, "b": 1.0}}


@pytest.mark.parametrize(("precision", "told"), [("fp32", True), ("fp16", False)])
def test_results_of_different_lengths_are_told_beyond_what_the_precision_explains(precision, told):
    case = {"name": "layer", "group": "g", "precision": precision}
    answers = {
        "minitensor:tiled": [{"seconds": 1.0, "how": "", "norm": 1.001}],
        "torch:nhwc": [{"seconds": 1.0, "how": "", "norm": 1.0}],
    }
    row = measure._row(case, answers, timed=True)
    assert bool(report.failures({"rows": [row]})) == told


def test_a_failed_cell_has_no_time_and_its_reason_is_told():
    case = {"name": "layer", "group": "g", "precision": "fp32"}
    row = measure._row(case, {"minitensor:tiled": [{"failed": "fault"}]}, timed=True)
    assert row["milliseconds"] == {}
    assert report.failures({"rows": [row]}) == ["layer (g), minitensor tiled: failed: fault"]


def test_after_a_death_or_a_failure_the_next_question_gets_a_fresh_worker():
    child = worker.Worker("minitensor", "cpu")
    case = {"bench": "copy", "size": 8, "traffic": 64, "precision": "fp32"}
    child.process.kill()
    child.process.wait()
    assert "seconds" in child.ask(case, "")
    second = child.process
    assert "has no attribute 'nothing'" in child.ask({**case, "bench": "nothing"}, "")["failed"]
    assert "seconds" in child.ask(case, "")
    assert child.process is not second  # a kernel that faulted has spoilt its process
    child.close()


def test_a_side_that_is_not_installed_is_absent_with_the_reason():
    assert "No module named" in worker.Worker("no_such_library", "cpu").hello["absent"]


def test_when_the_time_is_up_what_is_left_out_is_named():
    case = {"name": "late", "group": "g", "bench": "copy"}
    plan = measure.Plan([case], lambda _: ["minitensor:"], "cpu", 1, -1.0)
    assert measure.measure(plan, "nothing").left_out == ["late (g)"]


def test_a_case_has_one_round_at_least_and_no_new_one_after_its_time():
    class Child:
        def ask(self, case, option):
            return {"none": "not here"} if option == "x" else {"seconds": 1.0}

    asked = measure._asked({}, ["a:", "a:x"], {"a": Child()}, 3, 1e9)
    assert [len(answers) for answers in asked.values()] == [3, 1]
    assert len(measure._asked({}, ["a:"], {"a": Child()}, 3, -1.0)["a:"]) == 1


# ----- all of it runs -----


@pytest.mark.parametrize(
    ("bench", "device"),
    [
        ("conv", "cpu"),
        ("memory", "cpu"),
        pytest.param("conv", "emulator", marks=TOOLS),
        pytest.param("memory", "emulator", marks=TOOLS),
        pytest.param("step", "emulator", marks=TOOLS),
        pytest.param("latency", "emulator", marks=TOOLS),
    ],
)
def test_a_quick_run_asks_every_case_and_keeps_no_number(bench, device, tmp_path):
    command = [bench, "--device", device, "--quick", "--out", str(tmp_path)]
    assert __main__.main(command) == 0
    content = json.loads((tmp_path / f"{bench}_{device}.json").read_text())
    assert content["rows"]
    assert content["left_out"] == []
    assert not content["timed"]
    assert {ms for row in content["rows"] for ms in row["milliseconds"].values()} == {None}
    assert [path.name for path in tmp_path.iterdir()] == [f"{bench}_{device}.json"]


def test_memory_is_read_after_some_steps_and_after_many(capsys):
    assert __main__.main(["rss", "--quick"]) == 0
    told = capsys.readouterr().out
    assert "resident after      2 steps" in told
    assert "growth: " in told
