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
    ("lenet5.py", ["--epochs", "1", "--batch-norm"], "Total params: 60,162"),
    ("by_hand.py", ["--epochs", "1"], r"60,074 parameters\nepoch 1: .* accuracy [5-9]\d\.\d\d%"),
    ("mnist_cnn.py", ["--epochs", "1", "--out", "{home}/run"], r"test accuracy: 0\.9"),
    ("cifar.py", ["--network", "resnet18", "--classes", "100", "--batch-size", "32"], "0 acc: "),
    *[
        ("classic_networks.py", ["--network", name, "--steps", "2"], r"\[val\]: step 2 loss = ")
        for name in ("alexnet_cifar", "alexnet_cifar_keras", "googlenet", "resnet_bottleneck")
    ],
    ("classic_networks.py", ["--network", "densenet", "--steps", "1"], r"\[val\]: step 1"),
    ("classic_networks.py", ["--network", "conv_bn_net", "--steps", "2"], r"\[train\]: step 0"),
    ("training_tricks.py", ["--epochs", "1", "--images", "64"], r"batch norm +\d+\.\d% +\d+\.\d%"),
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


def test_the_network_by_hand_is_lenet5_and_starts_as_minitensor_train_does():
    spec = importlib.util.spec_from_file_location("by_hand", EXAMPLES / "by_hand.py")
    by_hand = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(by_hand)
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
