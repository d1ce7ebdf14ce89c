"""The net, its training, its weights on disk, and the two commands around them."""

from __future__ import annotations

import contextlib
import io
import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from minitensor import Variable, cli, data
from minitensor.digits import evaluate, network, weights
from minitensor.digits.network import fresh, parameters
from minitensor.keras.optimizers import Adam

safetensors = pytest.importorskip("safetensors.numpy")


@pytest.fixture(scope="module")
def digits() -> data.LabelledImages:
    return data.read_digits().resized((28, 28))


def trained(net, train, test, epochs: int = 1, rate: float = 0.003) -> list[network.Epoch]:
    return network.fit(net, train, test, epochs=epochs, batch_size=32, learning_rate=rate, seed=0)


# ----- the net -----


def test_the_net_has_the_courses_60074_parameters() -> None:
    net = fresh(10, 0)
    found = parameters(net)
    by_layer = {
        layer: sum(v.shape.num_elements() for name, v in found.items() if name.startswith(layer))
        for layer in ("conv1", "conv2", "dense1", "dense2", "dense3")
    }
    assert list(by_layer.values()) == [60, 880, 48120, 10164, 850]
    assert net.count_params() == 60074


def test_a_fresh_net_keeps_glorots_limit_and_starts_with_zero_biases() -> None:
    net = fresh(10, seed=1)
    limits = {"conv1": 6 / (9 * 7), "conv2": 6 / (9 * 22), "dense1": 6 / 520, "dense3": 6 / 94}
    for layer, square in limits.items():
        kernel = parameters(net)[f"{layer}.kernel"].numpy()
        assert 0.8 * square < np.abs(kernel).max() ** 2 <= square
        assert not parameters(net)[f"{layer}.bias"].numpy().any()


def test_the_net_computes_what_plain_loops_compute(digits) -> None:
    net = fresh(10, seed=2)
    p = {name: variable.numpy().astype(np.float64) for name, variable in parameters(net).items()}
    x = digits.images[:2].astype(np.float64)
    for layer in ("conv1", "conv2"):
        x = pooled(correlated(x, p[f"{layer}.kernel"])) + p[f"{layer}.bias"]
        x = np.maximum(x, 0)
    x = x.reshape(2, -1)
    for layer in ("dense1", "dense2"):
        x = np.maximum(x @ p[f"{layer}.kernel"] + p[f"{layer}.bias"], 0)
    expected = x @ p["dense3.kernel"] + p["dense3.bias"]
    np.testing.assert_allclose(net(digits.images[:2]).numpy(), expected, rtol=1e-4, atol=1e-6)


def correlated(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    h, w = x.shape[1] - 2, x.shape[2] - 2
    return sum(x[:, u : u + h, v : v + w] @ kernel[u, v] for u in range(3) for v in range(3))


def pooled(x: np.ndarray) -> np.ndarray:
    n, h, w, c = x.shape
    return x[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c).max(axis=(2, 4))


# ----- learning -----


def test_adams_first_two_steps_are_those_of_the_paper() -> None:
    x = Variable([1.0, -2.0])
    adam = Adam(0.1)
    value, m, v = np.array([1.0, -2.0]), 0, 0
    for t in (1, 2):
        g = 2 * value
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        adam.apply([2.0 * x], [x])
        value = value - 0.1 * m_hat / (np.sqrt(v_hat) + 1e-7)
    np.testing.assert_allclose(x.numpy(), value, rtol=1e-5)


def test_one_epoch_makes_a_fresh_net_better(digits) -> None:
    train, test = data.split(digits, 0)
    net = fresh(10, 0)
    before = network.accuracy(network.probabilities(net, test.images), test)
    (epoch,) = trained(net, train, test)
    assert before < 0.3
    assert epoch.test_accuracy > 0.5


def test_zeros_and_ones_are_told_apart_in_three_epochs(digits) -> None:
    few = digits.take(np.flatnonzero(digits.labels < 2)[:150])
    few = data.LabelledImages(few.title, few.images, few.labels, ("0", "1"), few.sources, "")
    epochs = trained(fresh(2, 0), *data.split(few, 0), epochs=3)
    assert epochs[-1].test_accuracy >= 0.95
    assert epochs[-1].loss < epochs[0].loss


@pytest.mark.slow
def test_the_default_training_reads_97_of_100_digits_right(digits) -> None:
    train, test = data.split(digits, 0)
    assert trained(fresh(10, 0), train, test, epochs=20)[-1].test_accuracy >= 0.97


def test_the_same_seed_trains_the_same_net(digits) -> None:
    few = digits.take(np.arange(100))
    first, second = fresh(10, 3), fresh(10, 3)
    for net in (first, second):
        trained(net, few, few)
    for name, variable in parameters(first).items():
        np.testing.assert_array_equal(variable.numpy(), parameters(second)[name].numpy())


def test_a_rate_that_diverges_is_a_value_error_that_says_so(digits) -> None:
    few = digits.take(np.arange(64))
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match=r"try a learning rate smaller than 1e\+30"),
    ):
        trained(fresh(10, 0), few, few, epochs=3, rate=1e30)


# ----- weights on disk -----

CARD = weights.Card(tuple("0123456789"), "UCI digits", "abc", 7)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    weights.save(tmp_path / "weights.safetensors", fresh(10, 4), CARD)
    return tmp_path / "weights.safetensors"


def rewritten(file: Path, **changes: object) -> None:
    """The same file with other texts (by key) or other tensors (by name, dots as __)."""
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as old:
        texts = dict(old.metadata())
        values = {name: old.get_tensor(name) for name in old.keys()}  # noqa: SIM118
    for key, value in changes.items():
        home = texts if key in texts else values
        home[key.replace("__", ".")] = value
        if value is None:
            del home[key.replace("__", ".")]
    safetensors.save_file(values, file, texts)


def test_weights_come_back_bit_for_bit_with_their_card(file: Path) -> None:
    net, card = weights.load(file)
    assert card == CARD
    for name, variable in parameters(fresh(10, 4)).items():
        np.testing.assert_array_equal(parameters(net)[name].numpy(), variable.numpy())


def test_the_file_says_how_images_must_be_prepared(file: Path) -> None:
    size = struct.unpack("<Q", file.read_bytes()[:8])[0]
    texts = json.loads(file.read_bytes()[8 : 8 + size])["__metadata__"]
    assert texts["input"] == "[28, 28, 1]"
    assert texts["normalisation"] == "gray / full scale: 0 black, 1 white"
    assert json.loads(texts["labels"]) == list("0123456789")


BAD_BYTES = {
    "empty": lambda good: b"",
    "truncated": lambda good: good[: len(good) // 2],
    "one byte short": lambda good: good[:-1],
    "one byte more": lambda good: good + b"x",
    "a pickle": lambda good: b"\x80\x04\x95" + bytes(60),
    "text": lambda good: b"not weights at all",
    "a huge header": lambda good: struct.pack("<Q", 2**62) + good[8:],
    "broken JSON": lambda good: good[:9] + b"!" + good[10:],
}


@pytest.mark.parametrize("kind", BAD_BYTES)
def test_a_damaged_file_is_a_value_error_that_names_it(file: Path, kind: str) -> None:
    file.write_bytes(BAD_BYTES[kind](file.read_bytes()))
    with pytest.raises(ValueError, match=re.escape(str(file))):
        weights.load(file)


BAD_CONTENT = {
    "not weights of this net": {"architecture": "ResNet"},
    "missing parameters": {"conv1__bias": None},
    "unknown parameters": {"extra": np.zeros(3, np.float32)},
    "expected": {"dense2__kernel": np.zeros((84, 120), np.float32)},
    "F64": {"conv1__bias": np.zeros(6)},
    "not finite": {"conv2__bias": np.full(16, np.nan, np.float32)},
    "its description is damaged": {"labels": "{"},
    "its labels must be": {"labels": '["one", "one"]'},
    "its seed must be": {"seed": "-3"},
}


@pytest.mark.parametrize("words", BAD_CONTENT)
def test_foreign_weights_are_a_value_error_that_says_why(file: Path, words: str) -> None:
    rewritten(file, **BAD_CONTENT[words])
    with pytest.raises(ValueError, match=words) as caught:
        weights.load(file)
    assert str(file) in str(caught.value)


# ----- the commands -----


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> tuple[Path, str]:
    """`minitensor train` for two epochs: its folder and what it printed."""
    folder, printed = tmp_path_factory.mktemp("run") / "out", io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert cli.main(["train", "--epochs", "2", "--seed", "5", "--out", str(folder)]) == 0
    return folder, printed.getvalue()


def test_train_writes_weights_and_two_pictures(run) -> None:
    folder, printed = run
    names = {"weights.safetensors", "training-curve.png", "first-layer-filters.png"}
    assert {file.name for file in folder.iterdir()} == names
    assert all(str(folder / name) in printed for name in names)
    assert all(file.stat().st_size > 20_000 for file in folder.iterdir())


def test_train_prints_the_parameters_and_a_line_per_epoch(run) -> None:
    lines = run[1].splitlines()
    assert "LeNet-5: 60,074 parameters" in lines
    assert (
        sum(bool(re.match(r" +[12] +\d\.\d+ +\d+\.\d\d% +\d+\.\d\d% ", line)) for line in lines)
        == 2
    )


def test_evaluate_prints_exactly_the_accuracy_that_train_printed(run, capsys) -> None:
    folder, printed = run
    accuracy = re.search(r"test accuracy (.*)", printed).group(1)
    assert cli.main(["evaluate", str(folder / "weights.safetensors")]) == 0
    assert f"accuracy {accuracy}\n" in capsys.readouterr().out


def test_evaluate_counts_every_test_image_once_in_the_table(run, capsys) -> None:
    cli.main(["evaluate", str(run[0] / "weights.safetensors")])
    rows = re.findall(r"^ +\d \|(.*)$", capsys.readouterr().out, re.MULTILINE)
    table = np.array([[int(cell.replace(".", "0")) for cell in row.split()] for row in rows])
    assert (table.shape, table.sum()) == ((10, 10), 360)


def test_the_mistakes_are_those_off_the_diagonal_surest_first() -> None:
    labels = np.array([0, 1, 1, 0])
    images = data.LabelledImages("t", labels, labels, ("no", "yes"), tuple("abcd"), "")
    probability = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.01, 0.99]])
    assert evaluate.worst_mistakes(probability, images).splitlines() == [
        "worst of 2 mistakes",
        "  d is no, read as yes (99.0% sure)",
        "  b is yes, read as no (60.0% sure)",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such-file"], "No such file"),
        ([__file__], "not a safetensors file"),
    ],
)
def test_evaluate_refuses_what_is_no_weights_file(words, said, capsys) -> None:
    assert cli.main(["evaluate", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_net_of_other_images_asks_for_them(file: Path, capsys) -> None:
    rewritten(file, fingerprint='"other"', data='"flowers"')
    assert cli.main(["evaluate", str(file)]) == 2
    assert "learned from flowers" in capsys.readouterr().err


def test_train_and_evaluate_read_an_idx_pair(tmp_path: Path, capsys) -> None:
    images, labels = data.digits()
    for name, array in (
        ("images-idx3-ubyte", images[:120, ..., 0] * 15),
        ("labels-idx1-ubyte", labels[:120]),
    ):
        head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        (tmp_path / name).write_bytes(head + array.tobytes())
    out = tmp_path / "run"
    given = ["--data", str(tmp_path)]
    assert cli.main(["train", *given, "--epochs", "1", "--out", str(out)]) == 0
    accuracy = re.search(r"test accuracy (.*)", capsys.readouterr().out).group(1)
    assert cli.main(["evaluate", str(out / "weights.safetensors"), *given]) == 0
    assert f"accuracy {accuracy}\n" in capsys.readouterr().out


def test_other_images_are_all_used_to_evaluate(run, tmp_path: Path, capsys) -> None:
    pillow = pytest.importorskip("PIL.Image")
    (tmp_path / "3").mkdir()
    pillow.fromarray(data.digits()[0][3, ..., 0] * 15).save(tmp_path / "3" / "three.png")
    file = str(run[0] / "weights.safetensors")
    assert cli.main(["evaluate", file, "--data", str(tmp_path)]) == 0
    assert "all 1 images; the net learned from others" in capsys.readouterr().out
