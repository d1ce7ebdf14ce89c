"""The programs in examples/ run, on small files in the formats of the real data sets."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minitensor as tf
from minitensor.digits import network

EXAMPLES = Path(__file__).parents[2] / "examples"
RUNS = [  # program, arguments, what it must print
    ("convolution.py", [], r"\[ 6\.  5\. -2\.  1\.  2\.\]"),
    ("lenet5.py", ["--epochs", "1"], r"Total params: 60,074\n(.*\n)*.*test acc: 0\.[5-9]"),
    ("lenet5.py", ["--epochs", "1", "--batch-norm"], "60,162\n(.*\n)*.* 63.6% as they began"),
    ("by_hand.py", ["--epochs", "1"], r"60,074 parameters\nepoch 1: .* accuracy [5-9]\d\.\d\d%"),
    ("mnist_cnn.py", ["--epochs", "1", "--out", "{home}/run"], r"test accuracy: 0\.9"),
    ("cifar.py", ["--network", "resnet18", "--classes", "100", "--batch-size", "32"], "0 acc: "),
    *[
        ("classic_networks.py", ["--network", name, "--steps", "2"], r"\[val\]: step 2 loss = ")
        for name in ("alexnet_cifar", "alexnet_cifar_keras", "googlenet", "resnet_bottleneck")
    ],
    ("classic_networks.py", ["--network", "densenet", "--steps", "1"], r"\[val\]: step 1"),
    ("classic_networks.py", ["--network", "conv_bn_net", "--steps", "2"], r"\[train\]: step 0"),
    (
        "training_tricks.py",
        ["--epochs", "1", "--images", "64"],
        r"too easy to show(.*\n)*batch norm( +\d+\.\d%){3} (.*\n)*1 epochs are few",
    ),
    (
        "flowers.py",
        ["{home}/datasets/flower_photos", "--network", "MobileNetV2", "--size", "32"],
        r"MobileNetV2: 2,264,389 parameters\nloss \d",
    ),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    run("small_data.py", [str(folder)], folder)
    return folder


def run(program, arguments, home):
    result = subprocess.run(
        [sys.executable, str(EXAMPLES / program), *arguments],
        env={**os.environ, "MINITENSOR_HOME": str(home), "PYTHONPATH": str(EXAMPLES.parent)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


@pytest.mark.parametrize(
    ("program", "arguments", "pattern"),
    RUNS,
    ids=[" ".join([p, *(a for a in args if "{" not in a)]) for p, args, _ in RUNS],
)
def test_an_example_runs_and_prints_what_it_should(home, program, arguments, pattern):
    printed = run(program, [a.format(home=home) for a in arguments], home)
    assert re.search(pattern, printed), printed[-2000:]


def test_the_lecture_is_one_file_of_ten_slides_that_asks_nobody(home):
    assert "10 slides" in run("lecture/build.py", ["-o", str(home / "lecture.html")], home)
    text = (home / "lecture.html").read_text()
    assert len(re.findall("<section", text)) == 10
    assert not re.search(r"(src|href)=|url\(|https?:", text)
    # of the course's text 1: 5x5 image, stride 2, and the way back
    shown = re.sub("<[^>]*>", " ", text)
    for number in ("-67", "-77", "-117", "-127", "all three: -36"):
        assert number in shown


def loaded(name: str):
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_the_figures_of_the_tricks_mean_is_said_of_these_figures():
    tricks = loaded("training_tricks")
    found = dict.fromkeys(("augmentation", "step decay", "dropout", "L2", "batch norm"))
    found = {name: tricks.Found(1, 0.5, 0.7, None, 8) for name in found}
    said = tricks.meanings({"nothing": tricks.Found(1, 0.8, 0.3, 4, 6.5), **found})
    assert said[0].startswith("augmentation: +40 points on unseen images that are moved")
    assert "-30 points on unseen images as they are" in said[0]
    assert "weights are 8.0 large instead of 6.5" in said[3]
    assert "90 % are read right never instead of in epoch 4" in said[4]


@pytest.mark.slow
def test_the_tricks_show_what_is_said_of_them():
    tricks = loaded("training_tricks")
    data = tricks.color_digits(320)
    plain = tricks.trained(tricks.network(), 0.01, data, 20)
    moved = tricks.trained(tricks.network(), 0.01, data, 20, augment=True)
    assert moved.changed > plain.changed + 0.2
    assert moved.unseen < plain.unseen
    assert tricks.trained(tricks.network(l2=1e-2), 0.01, data, 20).weights < 0.8 * plain.weights


def test_the_network_by_hand_is_lenet5_and_starts_as_minitensor_train_does():
    by_hand = loaded("by_hand")
    weights = by_hand.first_weights(np.random.default_rng(3))
    net = network.fresh(classes=10, seed=3)
    for mine, theirs in zip(weights.values(), net.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    images = np.random.default_rng(4).random((2, 28, 28, 1), np.float32)
    found = by_hand.logits(weights, tf.constant(images))
    np.testing.assert_allclose(found.numpy(), net(images).numpy(), rtol=1e-5, atol=1e-6)


def test_every_program_is_run_and_listed():
    programs = {path.name for path in EXAMPLES.glob("*.py")}
    listed = set(re.findall(r"`(\w+\.py)`", (EXAMPLES / "README.md").read_text()))
    assert listed == programs
    # seeds.py needs the course's documents: tests/tools/test_seed_programs.py
    assert {program for program, *_ in RUNS} | {"small_data.py", "seeds.py"} == programs
