"""Callbacks, driven by hand with the same logs beside tf.keras' own: same decisions, same files."""

import inspect
import io
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from minitensor import keras

ROOMS = (
    *("BackupAndRestore", "CSVLogger", "EarlyStopping", "LambdaCallback"),
    *("LearningRateScheduler", "ModelCheckpoint", "ProgbarLogger", "ReduceLROnPlateau"),
    *("TensorBoard", "TerminateOnNaN"),
)
LOSSES = np.random.default_rng(4).random((12, 9)).round(2)  # twelve trainings of nine epochs


class Model:
    """What callbacks see of a model: weights that say their epoch, a list of what was saved."""

    def __init__(self, rate=0.5):
        self.stop_training = False
        self.optimizer = SimpleNamespace(learning_rate=rate)
        self.metrics = []
        self.epoch = 0
        self.saved = []

    def get_weights(self):
        return [np.array(self.epoch)]

    def set_weights(self, weights):
        self.epoch = int(weights[0])

    def save(self, path, overwrite=True):
        self.saved.append(str(path))

    save_weights = save


def driven(callback, model, losses, batches=2):
    """Calls the hooks as fit does; returns the logs of each epoch as the callback left them."""
    callback.set_model(model)
    callback.on_train_begin()
    seen = []
    for epoch, loss in enumerate(losses):
        model.epoch = epoch
        callback.on_epoch_begin(epoch)
        for batch in range(batches):
            callback.on_train_batch_begin(batch)
            callback.on_train_batch_end(batch, {"loss": float(loss) + batch})
        seen.append({"loss": float(loss), "val_loss": float(loss) / 2, "auc": float(loss)})
        callback.on_epoch_end(epoch, seen[-1])
        if model.stop_training:
            break
    callback.on_train_end()
    return seen


def both(tf, make, losses, look):
    """What `look(callback, model, logs)` finds after the same training, here and in tf.keras."""
    found = []
    for library in (keras, tf.keras):
        model = Model()
        callback = make(library.callbacks)
        logs = driven(callback, model, losses)
        found.append(look(callback, model, logs))
    return found


@pytest.mark.parametrize("name", ROOMS)
def test_arguments_are_those_of_keras(tf, name):
    mine, theirs = (
        [(p.name, p.default, p.kind) for p in inspect.signature(kind).parameters.values()]
        for kind in (getattr(keras.callbacks, name), getattr(tf.keras.callbacks, name))
    )
    assert mine == theirs


@pytest.mark.parametrize(
    ("name", "package"), [("BackupAndRestore", "safetensors"), ("TensorBoard", "tensorboard")]
)
def test_a_missing_package_is_said_before_training(monkeypatch, name, package):
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    with pytest.raises(ImportError, match=f"{name} needs {package}: pip install"):
        getattr(keras.callbacks, name)("folder")


# ----- decisions -----

STOPPING = [
    {},
    {"patience": 2},
    {"patience": 1, "min_delta": 0.1},
    {"patience": 3, "baseline": 0.2},
    {"patience": 1, "start_from_epoch": 3},
    {"monitor": "auc", "mode": "max", "patience": 1, "min_delta": 0.05},
    {"monitor": "val_loss", "patience": 2},
]


@pytest.mark.parametrize("restore", [False, True])
@pytest.mark.parametrize("settings", STOPPING, ids=str)
def test_early_stopping_stops_and_restores_as_keras(tf, settings, restore):
    settings = {"monitor": "loss", **settings, "restore_best_weights": restore}

    def look(callback, model, logs):
        return (len(logs), model.epoch, callback.stopped_epoch, callback.best, callback.best_epoch)

    for losses in LOSSES:
        mine, theirs = both(tf, lambda c: c.EarlyStopping(**settings), losses, look)
        assert mine == theirs


def test_early_stopping_treats_nan_as_keras(tf):
    def look(callback, model, logs):
        return len(logs), callback.stopped_epoch, model.epoch

    for losses in ([np.nan, 0.3, 0.2], [0.3, np.nan, np.nan, 0.1]):
        make = lambda c: c.EarlyStopping("loss", patience=1, restore_best_weights=True)  # noqa: E731
        mine, theirs = both(tf, make, losses, look)
        assert mine == theirs


PLATEAUS = [
    {"patience": 1},
    {"patience": 2, "factor": 0.5, "cooldown": 2},
    {"patience": 1, "factor": 0.3, "min_lr": 0.03},
    {"monitor": "auc", "mode": "max", "patience": 1, "min_delta": 0.2, "factor": 0.9},
]


@pytest.mark.parametrize("settings", PLATEAUS, ids=str)
def test_the_rate_falls_on_plateaus_as_in_keras(tf, settings):
    settings = {"monitor": "loss", **settings}
    for losses in LOSSES:
        mine, theirs = both(
            tf,
            lambda c: c.ReduceLROnPlateau(**settings),
            losses,
            lambda callback, model, logs: (model.optimizer.learning_rate, logs),
        )
        assert mine == theirs


def test_a_schedule_of_epochs_sets_the_rates_of_keras(tf):
    rules = [lambda epoch, rate: rate * 0.9, lambda epoch: 1.0 / (epoch + 1)]
    for rule in rules:
        mine, theirs = both(
            tf,
            lambda c, rule=rule: c.LearningRateScheduler(rule),
            LOSSES[0],
            lambda callback, model, logs: (model.optimizer.learning_rate, logs),
        )
        assert mine == theirs


def test_a_schedule_that_gives_no_float_is_refused():
    with pytest.raises(ValueError, match="should be a float"):
        driven(keras.callbacks.LearningRateScheduler(lambda epoch, rate: "fast"), Model(), [1.0])


CHECKPOINTS = [
    {"filepath": "m-{epoch:02d}-{val_loss:.2f}.keras"},
    {"filepath": "{epoch}-{loss:.3f}.weights.h5", "save_weights_only": True},
    {"filepath": "m.keras", "save_best_only": True},
    {"filepath": "{epoch}.h5", "save_best_only": True, "monitor": "auc", "mode": "max"},
    {"filepath": "{epoch}.keras", "save_best_only": True, "initial_value_threshold": 0.3},
    {"filepath": "{epoch}-{batch}.keras", "save_freq": 3},
    {"filepath": "{epoch}-{batch}.keras", "save_freq": 1, "monitor": "loss"},
]


@pytest.mark.parametrize("settings", CHECKPOINTS, ids=str)
def test_checkpoints_are_saved_when_keras_saves_them(tf, settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for losses in LOSSES[:4]:
        mine, theirs = both(
            tf,
            lambda c: c.ModelCheckpoint(**settings),
            losses,
            lambda callback, model, logs: (model.saved, callback.best),
        )
        assert mine == theirs
        assert mine[0]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"filepath": "m.txt"}, ValueError),
        ({"filepath": "m.keras", "save_weights_only": True}, ValueError),
        ({"filepath": "m.keras", "save_freq": "batch"}, ValueError),
        ({"filepath": "{what}.keras"}, KeyError),
    ],
)
def test_checkpoints_refuse_what_keras_refuses(tf, settings, error):
    for library in (keras, tf.keras):
        with pytest.raises(error):
            driven(library.callbacks.ModelCheckpoint(**settings), Model(), [1.0])


def test_the_better_direction_comes_from_the_metric_or_is_asked_for(tf):
    for direction in ("up", "down"):
        finds = []
        for library in (keras, tf.keras):
            model = Model()
            model.metrics = [SimpleNamespace(name="auc", _direction=direction)]
            callback = library.callbacks.EarlyStopping("auc", patience=9)
            if library is tf.keras:  # Keras looks inside a wrapper of its own
                callback.mode = "max" if direction == "up" else "min"
            driven(callback, model, LOSSES[1])
            finds.append((callback.best, callback.best_epoch))
        assert finds[0] == finds[1]
    for library in (keras, tf.keras):
        with pytest.raises(ValueError, match="mode='max'"):
            driven(library.callbacks.EarlyStopping("auc"), Model(), [1.0])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_training_as_in_keras(tf, bad):
    mine, theirs = both(
        tf, lambda c: c.TerminateOnNaN(), [0.5, bad, 0.1], lambda c, model, logs: len(logs)
    )
    assert mine == theirs == 2
    for library in (keras, tf.keras):
        with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 0"):
            driven(library.callbacks.TerminateOnNaN(raise_error=True), Model(), [bad])


def test_functions_are_called_as_keras_calls_them(tf):
    def make(callbacks):
        heard = []
        hooks = {
            f"on_{name}": lambda *args, name=name, **kwargs: heard.append((name, args, kwargs))
            for name in ("epoch_begin", "epoch_end", "train_batch_end", "train_end")
        }
        callback = callbacks.LambdaCallback(**hooks)
        callback.heard = heard
        return callback

    mine, theirs = both(tf, make, [0.5, 0.25], lambda callback, model, logs: callback.heard)
    assert mine == theirs


# ----- text -----


def test_csv_files_are_those_of_keras_byte_for_byte(tf, tmp_path):
    rows = [
        {"loss": 0.1 + 0.2, "b": np.float32(1.5), "a": np.array([1, 2])},
        {"loss": 2, "b": 'say "x", y'},
    ]
    for settings in ({}, {"separator": ";"}, {"append": True}):
        texts = []
        for library in (keras, tf.keras):
            path = tmp_path / f"{library.__name__}.csv"
            for _ in range(2):
                callback = library.callbacks.CSVLogger(path, **settings)
                callback.on_train_begin()
                for epoch, row in enumerate(rows):
                    callback.on_epoch_end(epoch, row)
                callback.on_train_end()
            texts.append(path.read_bytes())
        assert texts[0] == texts[1]


def test_a_csv_file_forgets_what_came_after_the_checkpoint(tmp_path):
    path = tmp_path / "log.csv"
    logger = keras.callbacks.CSVLogger(path)
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 1.0})
    state, wanted = logger.get_state(), path.read_text()
    logger.on_epoch_end(1, {"loss": 2.0})
    logger.on_epoch_end(2, {"loss": 2.0})  # and here the training was killed

    logger = keras.callbacks.CSVLogger(path)
    logger.on_train_begin()
    logger.set_state(state)
    logger.on_epoch_end(1, {"loss": 3.0})
    assert path.read_text() == wanted + "1,3.0,NA\n"


def shown(progbar, monkeypatch, **settings):
    """What a Progbar prints, by a clock that the first step and some others take longer of."""
    out, now = io.StringIO(), [1e9]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr("time.time", lambda: now[0])
        bar = progbar(5, interval=0.01, **settings)
        for i, seconds in enumerate((4000.0, 0.5, 0.001, 0.25, 2e-4), 1):
            now[0] += seconds
            bar.update(i, [("loss", 1 / i), ("tiny", 1e-5 * i)])
        bar = progbar(None, interval=0, **settings)
        now[0] += 3e-4
        bar.update(3, [("loss", -2.0)])
        bar.add(1, [("loss", 4.0)])
        bar.update(4, finalize=True)
    lines = re.sub(r"\x08+", "", out.getvalue()).split("\r")
    return [line.rstrip() for line in lines]


@pytest.mark.parametrize(
    "settings",
    [{}, {"stateful_metrics": ["loss"]}, {"stateless_metrics": ["loss"]}, {"width": 7}],
    ids=str,
)
def test_the_bar_reads_as_in_keras(tf, monkeypatch, settings):
    mine = shown(keras.callbacks.progbar.Progbar, monkeypatch, **settings)
    assert mine == shown(tf.keras.utils.Progbar, monkeypatch, **settings)
    assert any("5/5" in line for line in mine)


def printed(library, verbose, capsys):
    callback = library.callbacks.ProgbarLogger()
    callback.set_params({"verbose": verbose, "epochs": 2, "steps": 2})
    driven(callback, Model(), [0.5, 0.25])
    return re.sub(r"\d+(s|ms|us)\b", "T", capsys.readouterr().out)


def test_verbose_2_prints_one_line_per_epoch_as_keras(tf, capsys):
    mine = printed(keras, 2, capsys)
    assert mine == printed(tf.keras, 2, capsys)
    assert len(mine.splitlines()) == 4


def test_a_bar_becomes_one_line_per_epoch_where_it_cannot_be_overwritten(capsys):
    assert printed(keras, 1, capsys) == printed(keras, 2, capsys)
    assert printed(keras, 0, capsys) == ""


# ----- in fit -----


def test_the_best_model_of_a_training_is_the_one_that_was_saved(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.random((24, 6, 6, 1), np.float32), rng.integers(0, 2, 24)
    model = small(keras)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        *(x, y),
        epochs=9,
        batch_size=8,
        verbose=0,
        validation_split=0.25,
        callbacks=[
            keras.callbacks.ModelCheckpoint(
                tmp_path / "best.weights.h5", "val_accuracy", 0, True, True
            ),
            keras.callbacks.EarlyStopping("val_accuracy", patience=3, restore_best_weights=True),
        ],
    )
    best = model.get_weights()
    other = small(keras)
    other.load_weights(tmp_path / "best.weights.h5")
    np.testing.assert_equal(other.get_weights(), best)
    values = history.history["val_accuracy"]
    assert len(values) == min(9, values.index(max(values)) + 4)


# ----- TensorBoard -----


def small(library):
    layers = [
        library.Input((6, 6, 1)),
        library.layers.Conv2D(4, 3, name="c"),
        library.layers.Flatten(name="f"),
        library.layers.Dense(2, name="d"),
    ]
    return library.Sequential(layers, name="net")


def events(folder):
    """{tag: [(step, plugin, value)]} of all files in a folder, by TensorBoard's own reader."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    reader = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    reader.Reload()
    found = {}
    for tag in reader.Tags()["tensors"]:
        plugin = reader.SummaryMetadata(tag).plugin_data.plugin_name
        values = [(e.step, plugin, make_ndarray(e.tensor_proto)) for e in reader.Tensors(tag)]
        found[tag.removeprefix("net/")] = values
    return found


@pytest.fixture(scope="module")
def logged(tf, tmp_path_factory):
    """Folders written by both libraries, of nets with the same weights and logs."""
    theirs = small(tf.keras)
    mine = small(keras)
    mine.set_weights(theirs.get_weights())
    theirs.compile(tf.keras.optimizers.SGD(0.25))
    mine.optimizer = SimpleNamespace(learning_rate=0.25, iterations=0)
    root = tmp_path_factory.mktemp("logs")
    for library, model in ((keras, mine), (tf.keras, theirs)):
        callback = library.callbacks.TensorBoard(
            root / library.__name__, histogram_freq=2, write_images=True, update_freq=2
        )
        callback.set_model(model)
        callback.on_train_begin()
        for epoch, loss in enumerate(LOSSES[2][:3]):
            callback.on_epoch_begin(epoch)
            for batch in range(4):  # Keras writes no epoch after an odd one
                callback.on_train_batch_begin(batch)
                callback.on_train_batch_end(batch, {"loss": loss + batch})
            callback.on_test_begin()
            callback.on_test_end({"loss": loss / 3})
            callback.on_epoch_end(epoch, {"loss": loss, "val_loss": loss / 3})
        callback.on_train_end()
    return root / keras.__name__, root / tf.keras.__name__


def pixels(value):
    """Sizes and images of an image event."""
    from PIL import Image

    return value[:2].tolist(), [np.asarray(Image.open(io.BytesIO(png))) for png in value[2:]]


@pytest.mark.parametrize("part", ["train", "validation"])
def test_tensorboard_reads_the_same_events_as_from_keras(logged, part):
    mine, theirs = events(logged[0] / part), events(logged[1] / part)
    assert sorted(mine.keys() - {"keras"}) == sorted(theirs.keys() - {"keras"})
    for tag in theirs.keys() - {"keras"}:
        assert [e[:2] for e in mine[tag]] == [e[:2] for e in theirs[tag]]
        for (_, plugin, a), (_, _, b) in zip(mine[tag], theirs[tag], strict=True):
            if plugin == "images":
                np.testing.assert_equal(pixels(a), pixels(b))
            else:
                np.testing.assert_allclose(a, b, rtol=1e-6)


def test_tensorboard_gets_the_architecture(logged):
    assert [e[:2] for e in events(logged[0] / "train")["keras"]] == [(0, "graph_keras_model")]


def test_tensorboard_needs_no_tensorflow(tmp_path):
    import subprocess

    code = (
        "import sys; from minitensor.keras.callbacks.tensorboard import EventFile; "
        "from pathlib import Path; import numpy as np; f = EventFile(Path(sys.argv[1])); "
        "f.scalar('a', 1.0, 0); f.histogram('b', np.ones(3), 0); "
        "f.images('c', np.ones((1, 2, 2, 3)), 0); f.close(); print('tensorflow' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "False"
