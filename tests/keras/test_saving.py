"""Files that Keras reads, and Keras' files read: weights, whole models, what is refused."""

import io
import json
import os
import pathlib
import stat
import struct
import warnings
import zipfile

import numpy as np
import pytest
from keras_models import (
    EVERY,
    compiled,
    functional,
    nested,
    outputs,
    sequential,
    shuffle,
    subclassed,
)

import minitensor as mt
from minitensor import keras
from minitensor.files import atomic_write
from minitensor.keras.saving import hdf5

h5py = pytest.importorskip("h5py")
pytest.importorskip("safetensors")
WHOLE = (sequential, functional, nested)


def assert_same_outputs(one, other):
    for a, b in zip(outputs(one), outputs(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5 * max(1, np.abs(b).max()))


def assert_same_weights(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def digest(model):
    return [w.copy() for w in model.get_weights()]


# ----- both directions -----


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("ending", [".weights.h5", ".h5"])
def test_weights_that_keras_wrote_give_keras_outputs(tf, tmp_path, make, ending):
    theirs, ours = shuffle(make(tf.keras)), make(keras)
    path = tmp_path / f"x{ending}"
    if ending == ".h5":
        from keras.src.legacy.saving import legacy_h5_format as old

        with h5py.File(path, "w") as file:
            old.save_weights_to_hdf5_group(file, theirs)
    else:
        theirs.save_weights(path)
    ours.load_weights(path)
    assert_same_weights(ours, theirs)
    assert_same_outputs(ours, theirs)


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("ending", [".weights.h5", ".h5"])
def test_keras_reads_the_weights_that_we_wrote(tf, tmp_path, make, ending):
    theirs, ours = make(tf.keras), shuffle(make(keras))
    ours.save_weights(tmp_path / f"x{ending}")
    theirs.load_weights(tmp_path / f"x{ending}")
    assert_same_weights(theirs, ours)


@pytest.mark.parametrize("make", EVERY)
def test_the_groups_of_a_weights_file_are_those_of_keras(tf, tmp_path, make):
    found = []
    for library in (keras, tf.keras):
        make(library).save_weights(tmp_path / "x.weights.h5")
        with h5py.File(tmp_path / "x.weights.h5") as file:
            names = []
            file.visit(names.append)
            found.append(names)
    assert found[0] == found[1]


@pytest.mark.parametrize("make", WHOLE)
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_whole_model_of_keras_is_ours_with_its_optimizer(tf, tmp_path, make, ending):
    theirs = compiled(shuffle(make(tf.keras)), tf.keras)
    path = str(tmp_path / f"x{ending}")
    theirs.save(path)
    ours = keras.models.load_model(path)
    assert_same_outputs(ours, theirs)
    assert isinstance(ours.optimizer, keras.optimizers.Adam)
    for a, b in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert keras.models.load_model(path, compile=False).compiled is False


@pytest.mark.parametrize("make", WHOLE)
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_keras_loads_a_whole_model_that_we_wrote(tf, tmp_path, make, ending):
    ours = compiled(shuffle(make(keras)), keras)
    path = str(tmp_path / f"x{ending}")
    ours.save(path)
    theirs = tf.keras.models.load_model(path)
    assert_same_outputs(ours, theirs)
    assert isinstance(theirs.loss, tf.keras.losses.MeanSquaredError)
    # Keras 3 itself does not restore the optimizer of an .h5 file, not of its own either.
    reader = theirs if ending == ".keras" else keras.models.load_model(path)
    for a, b in zip(ours.optimizer.variables, reader.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("make", WHOLE)
def test_a_live_model_goes_to_keras_and_comes_back(tf, make):
    theirs = shuffle(make(tf.keras))
    ours = keras.from_keras(theirs)
    assert_same_outputs(ours, theirs)
    back = keras.saving.to_keras(ours, tf.keras)
    assert_same_weights(back, theirs)


def test_both_libraries_resume_training_from_each_others_file_alike(tf, tmp_path):
    """One more step of Adam with its moments gives equal weights."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(4, 8, 8, 2)).astype("float32")
    y = [draw.normal(size=(4, n)).astype("float32") for n in (2, 3)]
    ours = functional(keras)
    ours.compile(keras.optimizers.Adam(0.01), loss=["mse", "mse"])
    ours.train_on_batch(x, y)
    ours.save(tmp_path / "x.keras")
    theirs = tf.keras.models.load_model(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    for model in (ours, theirs, again):
        model.train_on_batch(x, y)
    assert_same_weights(ours, again)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


# ----- round trips of ours -----


@pytest.mark.parametrize("ending", [".weights.h5", ".h5", ".safetensors"])
@pytest.mark.parametrize("make", EVERY)
def test_weights_come_back_from_a_file(tmp_path, make, ending):
    one, other = shuffle(make(keras)), make(keras)
    one.save_weights(tmp_path / f"x{ending}")
    other.load_weights(tmp_path / f"x{ending}")
    assert_same_weights(one, other)


def test_open_files_and_texts_are_paths_too(tmp_path):
    one, other, third = shuffle(sequential(keras)), sequential(keras), sequential(keras)
    whole, weights = io.BytesIO(), io.BytesIO()
    one.save(whole)
    one.save_weights(weights)
    other.load_weights(io.BytesIO(weights.getvalue()))
    assert_same_weights(one, other)
    assert_same_outputs(keras.models.load_model(io.BytesIO(whole.getvalue())), one)
    one.save_weights(os.fspath(tmp_path / "x.weights.h5"))
    with (tmp_path / "x.weights.h5").open("rb") as file:
        third.load_weights(file)
    assert_same_weights(one, third)


def test_safetensors_hold_weights_under_their_paths(tmp_path):
    from safetensors.numpy import load_file

    model = shuffle(functional(keras))
    model.save_weights(tmp_path / "x.safetensors")
    found = load_file(tmp_path / "x.safetensors")
    assert {"p/kernel", "p/bias", "q/kernel", "q/bias"} < set(found)
    assert "inner/conv2d/kernel" in found
    np.testing.assert_array_equal(found["p/kernel"], model.get_layer("p").kernel.numpy())


def test_weights_of_a_whole_model_file_can_be_loaded_alone(tmp_path):
    one = shuffle(sequential(keras))
    for ending in (".keras", ".h5"):
        other = sequential(keras)
        one.save(tmp_path / f"x{ending}")
        other.load_weights(tmp_path / f"x{ending}")
        assert_same_weights(one, other)


def test_layers_are_found_by_name_in_old_files(tmp_path):
    def make(*names):
        sizes = {"a": 3, "b": 4, "c": 5}
        made = [keras.layers.Dense(sizes[name], name=name) for name in names]
        x = keras.Input((2,))
        return keras.Model(x, [layer(x) for layer in made])

    one, other = shuffle(make("a", "b")), make("b", "c")
    one.save_weights(tmp_path / "x.h5")
    before = other.get_layer("c").get_weights()
    other.load_weights(tmp_path / "x.h5", by_name=True)
    assert_same_weights(one.get_layer("b"), other.get_layer("b"))
    np.testing.assert_array_equal(before[0], other.get_layer("c").get_weights()[0])
    with pytest.raises(ValueError, match=r"b/kernel has shape \(2, 4\), the file has .*\(2, 3\)"):
        other.load_weights(tmp_path / "x.h5")


@pytest.mark.parametrize("ending", [".weights.h5", ".h5", ".safetensors"])
def test_weights_that_do_not_fit_can_be_skipped(tmp_path, ending):
    def make(units):
        names = ("first", "second")
        layers = [keras.layers.Dense(n, name=s) for n, s in zip((3, units), names, strict=True)]
        return keras.Sequential([keras.Input((2,)), *layers])

    one, other = shuffle(make(4)), make(5)
    one.save_weights(tmp_path / f"x{ending}")
    before = digest(other)
    with pytest.raises(ValueError, match=r"(?s)second.*\(3, 5\).*\(3, 4\)|vars/0.*\(3, 5\)"):
        other.load_weights(tmp_path / f"x{ending}")
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match=r"Skipping"):
        other.load_weights(tmp_path / f"x{ending}", skip_mismatch=True)
    assert_same_weights(one.get_layer("first"), other.get_layer("first"))
    np.testing.assert_array_equal(before[2], other.get_weights()[2])


def test_lists_of_names_longer_than_an_attribute_are_written_in_parts(tf, tmp_path):
    def make(library):
        names = [f"{'x' * 2000}{i}" for i in range(40)]
        layers = [library.layers.Dense(1, name=name) for name in names]
        x = library.Input((1,))
        return library.Model(x, [layer(x) for layer in layers])

    one, other, theirs = make(keras), make(keras), make(tf.keras)
    shuffle(one).save_weights(tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5") as file:
        assert {"layer_names0", "layer_names1"} <= set(file.attrs)
    for model in (other, theirs):
        model.load_weights(tmp_path / "x.h5")
        assert_same_weights(model, one)


# ----- writing -----


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "x.weights.h5"
    shuffle(sequential(keras)).save_weights(path)
    before = path.read_bytes()

    def half():
        with atomic_write(path) as fresh:
            fresh.write_bytes(b"half")
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="full"):
        half()
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_new_file_has_the_rights_of_the_one_it_replaces(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(0o640)
    with atomic_write(path) as fresh:
        fresh.write_text("new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o640)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with atomic_write(tmp_path / "link") as fresh:
        fresh.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_file_that_is_there_is_kept_if_asked(tmp_path):
    path = tmp_path / "x.keras"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        sequential(keras).save(path, overwrite=False)
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda p: sequential(keras).save(p / "x.onnx"), "Invalid filepath extension"),
        (lambda p: sequential(keras).save_weights(p / "x.npz"), "must end in"),
        (lambda p: keras.Sequential([keras.layers.Dense(2)]).save_weights(p / "x.h5"), "not yet"),
        (lambda p: subclassed(keras).save(p / "x.h5"), "subclassed model"),
        (lambda p: sequential(keras).save(p / "x.keras", zipped=False), "zipped"),
        (
            lambda p: sequential(keras).save_weights(p / "x.weights.h5", max_shard_size=1),
            "one file",
        ),
        (lambda p: keras.models.load_model(p / "x.keras", safe_mode=False), "never run"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(tmp_path, action, words):
    with pytest.raises(ValueError, match=words):
        action(tmp_path)
    assert list(tmp_path.iterdir()) == []


# ----- what is refused -----


@pytest.fixture
def small():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])


def refuse(model, path, words):
    """Loading raises a ValueError with these words, and changes nothing."""
    before = digest(model)
    with pytest.raises(ValueError, match=words) as found:
        model.load_weights(path)
    assert str(path) in str(found.value)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def change(model, path, edit):
    """A weights file that h5py has changed."""
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        edit(file, "layers/dense/vars")


def _replace(**options):
    def edit(file, group):
        del file[f"{group}/0"]
        file.create_dataset(f"{group}/0", **options)

    return edit


def _link(link):
    def edit(file, group):
        del file[f"{group}/0"]
        file[f"{group}/0"] = link

    return edit


def _virtual(file, group):
    del file[f"{group}/0"]
    layout = h5py.VirtualLayout((2, 3), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (2, 3))
    file.create_virtual_dataset(f"{group}/0", layout)


EDITS = {
    "shape": (_replace(data=np.zeros((3, 2), "f4")), r"vars/0 has shape \(2, 3\).*\(3, 2\)"),
    "float64": (_replace(data=np.zeros((2, 3))), "dtype float32, the file has float64"),
    "whole numbers": (_replace(data=np.zeros((2, 3), "i2")), "dtype float32.*int16"),
    "objects": (_replace(data=["a", "b"]), "objects or texts"),
    "texts": (_replace(data=np.asarray([b"abc"])), "objects or texts"),
    "records": (_replace(data=np.zeros((2, 3), "f4,f4")), "objects or texts"),
    "references": (_replace(shape=(2, 3), dtype=h5py.ref_dtype), "objects or texts"),
    "complex numbers": (_replace(data=np.zeros((2, 3), "c8")), "objects or texts"),
    "compressed": (
        _replace(shape=(2**20, 2**20), dtype="f4", chunks=(1024, 1024), compression="gzip"),
        "compressed",
    ),
    "chunked": (_replace(shape=(2, 3), dtype="f4", chunks=(1, 3)), "stored in parts"),
    "never written": (_replace(shape=(2**15, 2**15), dtype="f8"), "needs 8589934592 bytes"),
    "in another file": (
        _replace(shape=(2, 3), dtype="f4", external=[("/etc/passwd", 0, 24)]),
        "external storage",
    ),
    "virtual": (_virtual, "virtual"),
    "soft link": (_link(h5py.SoftLink("/layers/dense/vars/1")), "soft link"),
    "external link": (_link(h5py.ExternalLink("/etc/passwd", "x")), "leave the file"),
    "one too few": (lambda file, group: file.__delitem__(f"{group}/1"), "expected 2 .* received 1"),
    "one too many": (
        lambda file, group: file.create_dataset(f"{group}/2", data=np.zeros(1, "f4")),
        "expected 2 .* received 3",
    ),
    "another name": (lambda file, group: file.move(f"{group}/1", f"{group}/b"), "is expected"),
    "another layer": (lambda file, group: file.move("layers/dense", "layers/d"), "received 0"),
    "another group": (
        lambda file, group: file.create_dataset("layers/d/vars/0", data=np.zeros(1, "f4")),
        "layers/d/vars/0, for which the model has no weight",
    ),
    "a dataset for a group": (
        lambda file, group: (file.__delitem__("layers"), file.create_dataset("layers", data=[1.0])),
        "group is expected|received 0",
    ),
    "twice": (
        lambda file, group: (file.__delitem__(f"{group}/1"), file.__setitem__(
            f"{group}/1", file[f"{group}/0"])),
        "two places",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_a_weights_file_that_does_not_fit_is_refused(tmp_path, small, name):
    edit, words = EDITS[name]
    path = tmp_path / "x.weights.h5"
    small.layers[0].name = "dense"
    change(small, path, edit)
    refuse(small, path, words)


def test_groups_that_lie_in_each_other_in_2_to_the_40_ways_are_refused(tmp_path, small):
    def edit(file, group):
        child = file.create_group("extra/40")
        for i in reversed(range(40)):
            parent = file.create_group(f"extra/{i}")
            parent["left"] = parent["right"] = child
            child = parent

    change(small, tmp_path / "x.weights.h5", edit)
    refuse(small, tmp_path / "x.weights.h5", "in two places")


def test_smaller_floats_and_other_byte_orders_are_read(tmp_path, small):
    value = np.arange(6).reshape(2, 3)
    for dtype in (">f4", "<f2"):
        change(small, tmp_path / "x.weights.h5", _replace(data=value.astype(dtype)))
        small.load_weights(tmp_path / "x.weights.h5")
        np.testing.assert_array_equal(small.get_weights()[0], value.astype("f4"))


def test_newer_forms_of_hdf5_are_refused_with_a_way_out(tmp_path, small):
    path = tmp_path / "x.weights.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["layers/dense/vars/0"] = np.zeros((2, 3), "f4")
    refuse(small, path, "without libver")


def test_every_truncation_of_a_weights_file_is_refused(tmp_path, small):
    path = tmp_path / "x.weights.h5"
    for ending in (".weights.h5", ".h5", ".keras", ".safetensors"):
        path = tmp_path / f"x{ending}"
        (small.save if ending == ".keras" else small.save_weights)(path)
        whole = path.read_bytes()
        for length in {0, 1, 7, 8, 9, 100, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:length])
            if ending in (".weights.h5", ".h5") and length == len(whole) - 1:
                continue  # h5py pads the end
            refuse(small, path, ".")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, small):
    path = tmp_path / "x.keras"
    small.save(path)
    for name, size in (("model.weights.h5", 2**25), ("config.json", 2**26 + 1)):
        with zipfile.ZipFile(path) as old:
            kept = {n: old.read(n) for n in old.namelist()}
        bomb = tmp_path / f"{name}.keras"
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
            for n, data in kept.items():
                new.writestr(n, bytes(size) if n == name else data)
        with pytest.raises(ValueError, match="claims to hold"):
            keras.models.load_model(bomb)


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil", "assets/../../evil", "code.pkl"])
def test_foreign_names_in_an_archive_are_refused(tmp_path, small, name):
    path = tmp_path / "x.keras"
    small.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(ValueError, match="does not write"):
        keras.models.load_model(path)


def test_a_name_that_stands_twice_in_an_archive_is_refused(tmp_path, small):
    path = tmp_path / "x.keras"
    small.save(path)
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("config.json", b"{}")
    with pytest.raises(ValueError, match="a name stands twice in the archive"):
        keras.models.load_model(path)


def test_a_config_that_asks_for_more_than_the_weights_is_refused(tmp_path, small):
    """No weight is made that the file has no numbers for: 3 units become 3 billion."""
    small.save(tmp_path / "x.keras")
    with zipfile.ZipFile(tmp_path / "x.keras") as old:
        kept = {n: old.read(n) for n in old.namelist()}
    kept["config.json"] = kept["config.json"].replace(b'"units": 3', b'"units": 3000000000')
    with zipfile.ZipFile(tmp_path / "y.keras", "w") as new:
        for name, data in kept.items():
            new.writestr(name, data)
    with pytest.raises(ValueError, match="takes 24000000000 bytes"):
        keras.models.load_model(tmp_path / "y.keras")


def test_pickles_are_not_read(tmp_path, small):
    import pickle

    for name in ("x.h5", "x.keras", "x.safetensors"):
        (tmp_path / name).write_bytes(pickle.dumps({"dense/kernel": np.zeros((2, 3))}))
        refuse(small, tmp_path / name, "neither HDF5 nor")


def test_safetensors_of_another_model_are_refused(tmp_path, small):
    from safetensors.numpy import save_file

    whole = {"dense/kernel": np.zeros((2, 3), "f4"), "dense/bias": np.zeros(3, "f4")}
    path = tmp_path / "x.safetensors"
    save_file({"dense/kernel": whole["dense/kernel"]}, path)
    refuse(small, path, r"missing weights \['dense/bias'\]")
    save_file({**whole, "more": np.zeros(2, "f4")}, path)
    refuse(small, path, r"unknown weights \['more'\]")
    save_file({**whole, "dense/bias": np.zeros(3)}, path)
    refuse(small, path, "dense/bias has dtype float32, the file has float64")


def test_a_huge_header_of_safetensors_is_refused(tmp_path, small):
    path = tmp_path / "x.safetensors"
    for length in (2**27, 2**63, 2**64 - 1):
        path.write_bytes(struct.pack("<Q", length) + b"{}" + b" " * 100)
        refuse(small, path, "damaged")
    header = json.dumps(
        {"dense/kernel": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}
    )
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(4))
    refuse(small, path, "damaged")


def test_a_missing_file_is_the_systems_own_error(tmp_path, small):
    for name in ("x.weights.h5", "x.keras", "x.safetensors"):
        with pytest.raises(FileNotFoundError):
            small.load_weights(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        keras.models.load_model(tmp_path / "x.keras")


def test_nan_is_a_number_like_others(tmp_path, small):
    small.set_weights([np.full((2, 3), np.nan), np.zeros(3)])
    small.save_weights(tmp_path / "x.weights.h5")
    small.load_weights(tmp_path / "x.weights.h5")
    assert np.isnan(small.get_weights()[0]).all()


def test_another_optimizers_state_is_left_out_with_a_warning(tmp_path, small):
    small.compile("sgd", "mse")
    small.optimizer.build(small.trainable_variables)
    small.save_weights(tmp_path / "x.weights.h5")
    small.compile("adam", "mse")
    small.optimizer.build(small.trainable_variables)
    with pytest.warns(UserWarning, match="Skipping variable loading for optimizer"):
        small.load_weights(tmp_path / "x.weights.h5")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (lambda names: names[:-1], "Skipping: Weight count mismatch for layer 'adam"),
        (lambda names: names[::-1], "Skipping: the state of optimizer 'adam.*' has other shapes"),
    ],
)
def test_an_old_file_with_another_optimizers_state_is_read_without_it(tmp_path, names, words):
    model = compiled(sequential(keras), keras)
    model.save(tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5", "r+") as file:
        attributes = file["optimizer_weights"].attrs
        attributes["weight_names"] = names(attributes["weight_names"])
    with pytest.warns(UserWarning, match=words):
        again = keras.models.load_model(tmp_path / "x.h5")
    assert_same_weights(again, model)
    assert int(again.optimizer.iterations) == 0


def test_the_layout_of_tensorflow_2_12_is_read(tmp_path):
    one, other = shuffle(nested(keras)), nested(keras)
    one.save_weights(tmp_path / "x.weights.h5")
    early = "_layer_checkpoint_dependencies"
    with h5py.File(tmp_path / "x.weights.h5", "r+") as file:
        for group in ("layers/functional/layers/sequential", "layers/functional", ""):
            if f"{group}/layers".strip("/") in file:
                file.move(f"{group}/layers".strip("/"), f"{group}/{early}".strip("/"))
        file["metrics/mean/vars/0"] = np.float32(1)
        assert early in file
    other.load_weights(tmp_path / "x.weights.h5")
    assert_same_weights(one, other)


# ----- the reader of HDF5 -----


def test_the_reader_sees_what_h5py_wrote(tmp_path):
    path, kinds = tmp_path / "x.h5", ("f2", "f4", "f8", "i1", "u4", "i8", ">f4", ">i2")
    with h5py.File(path, "w") as file:
        for i in range(300):
            file[f"g/x{i}/y"] = np.arange(i % 7, dtype=kinds[i % 8]).reshape(-1, 1)
        file["scalar"] = np.float32(3)
        file.attrs.update(n=np.arange(3), empty=[], long="ü" * 100000, some=["a", "bc"], one=2.5)
        file.attrs["short"] = np.asarray([b"ab", b"c"])
        wanted = {f"g/x{i}/y": file[f"g/x{i}/y"][()] for i in range(300)}
    with path.open("rb") as file:
        root = hdf5.opened(file)
        found = {name: data.read() for name, data in root.datasets()}
        assert found.pop("scalar") == 3
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            assert found[name].dtype == value.dtype
            np.testing.assert_array_equal(found[name], value)
        attributes = root.attributes
    assert list(attributes["n"]) == [0, 1, 2]
    assert list(attributes["empty"]) == []
    assert attributes["long"] == "ü" * 100000
    assert (attributes["some"], attributes["short"]) == (["a", "bc"], ["ab", "c"])
    assert attributes["one"] == 2.5


def test_weights_on_an_emulated_device_are_loaded_there(tmp_path):
    one = shuffle(sequential(keras))
    one.save_weights(tmp_path / "x.weights.h5")
    with mt.device("emulator"):
        other = sequential(keras)
        other.load_weights(tmp_path / "x.weights.h5")
        other.save_weights(pathlib.Path(tmp_path / "y.weights.h5"))
    assert {w.device for w in other.weights} != {w.device for w in one.weights}
    assert_same_weights(one, other)
