"""keras.utils, keras.preprocessing, keras.backend, keras.random and tfds against Keras."""

import functools
import hashlib
import http.server
import inspect
import io
import shutil
import tarfile
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor

import dataset_files as files
import numpy as np
import pytest
from PIL import Image

import minitensor as mt
from minitensor import keras
from minitensor.data import search_paths, tfds

RNG = np.random.default_rng(1)
SIGNED_ALIKE = [
    *("image_dataset_from_directory", "load_img", "img_to_array", "array_to_img", "save_img"),
    *("to_categorical", "normalize", "set_random_seed", "split_dataset", "get_file"),
    "clear_session",
]


def words(function):
    return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", SIGNED_ALIKE)
def test_signatures_are_keras(name, tf):
    assert words(getattr(keras.utils, name)) == words(getattr(tf.keras.utils, name))


@pytest.mark.parametrize("name", ["normal", "truncated_normal", "uniform", "randint", "shuffle"])
def test_signatures_of_draws_are_keras(name, tf):
    ours, theirs = (words(getattr(library.random, name)) for library in (keras, tf.keras))
    assert ours == theirs


# ----- arrays -----


@pytest.mark.parametrize(
    ("labels", "count"),
    [
        ([0, 2, 1], None),
        ([0, 2, 1], 5),
        ([[1], [0]], None),
        ([[0, 1], [2, 0]], 3),
        (np.array([1]), 2),
    ],
)
def test_one_hot_rows_are_keras(labels, count, tf):
    ours, theirs = (u.to_categorical(labels, count) for u in (keras.utils, tf.keras.utils))
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


def test_one_hot_rows_of_tensors_are_tensors():
    rows = keras.utils.to_categorical(mt.constant([[1], [0]]), 3)
    assert isinstance(rows, mt.Tensor)
    assert rows.numpy().tolist() == [[0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize("labels", [[3], [-4]])
def test_classes_out_of_range_are_refused(labels):
    with pytest.raises(ValueError, match="num_classes is 3"):
        keras.utils.to_categorical(labels, 3)


@pytest.mark.parametrize(("axis", "order"), [(-1, 2), (0, 2), (1, 1)])
def test_normalized_rows_are_keras(axis, order, tf):
    x = np.vstack([RNG.normal(size=(3, 4)), np.zeros((1, 4))])
    if axis:  # with 0 Keras divides NumPy arrays along the wrong axis
        theirs = tf.keras.utils.normalize(x, axis, order)
        np.testing.assert_allclose(keras.utils.normalize(x, axis, order), theirs, rtol=1e-12)
    theirs = tf.keras.utils.normalize(tf.constant(x[:3]), axis, order).numpy()
    for given in (x[:3], mt.constant(x[:3])):
        found = np.asarray(keras.utils.normalize(given, axis, order))
        np.testing.assert_allclose(found, theirs, rtol=1e-10)


@pytest.mark.parametrize("sizes", [(0.7, None), (None, 3), (4, 2), (0.5, 0.25)])
def test_a_data_set_is_split_as_by_keras(sizes, tf):
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    ours = keras.utils.split_dataset((x, y), *sizes)
    theirs = tf.keras.utils.split_dataset((x, y), *sizes)
    for part, other in zip(ours, theirs, strict=True):
        for one, two in zip(part.as_numpy_iterator(), other.as_numpy_iterator(), strict=True):
            np.testing.assert_array_equal(one[0], two[0])
            np.testing.assert_array_equal(one[1], two[1])


def test_a_shuffled_split_parts_all_elements():
    left, right = keras.utils.split_dataset(np.arange(10), 0.7, shuffle=True, seed=3)
    found = [[int(x) for x in part] for part in (left, right)]
    assert sorted(found[0] + found[1]) == list(range(10))
    assert found[0] != list(range(7))


@pytest.mark.parametrize("sizes", [(None, None), (11, None), (1.5, None), (7, 7), (0, None)])
def test_illegal_sizes_of_parts_are_refused(sizes):
    with pytest.raises(ValueError):  # noqa: PT011  (five wordings)
        keras.utils.split_dataset(np.arange(10), *sizes)


# ----- images as files -----


@pytest.fixture
def picture(tmp_path):
    pixels = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


@pytest.mark.parametrize("mode", ["rgb", "rgba", "grayscale"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"target_size": (7, 9)},
        {"target_size": (9, 40), "interpolation": "bilinear", "keep_aspect_ratio": True},
        {"target_size": (40, 9), "interpolation": "lanczos", "keep_aspect_ratio": True},
    ],
)
def test_images_are_loaded_as_by_keras(picture, mode, how, tf):
    ours, theirs = (
        u.img_to_array(u.load_img(picture, mode, **how)) for u in (keras.utils, tf.keras.utils)
    )
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


@pytest.mark.parametrize("shape", [(5, 6, 1), (5, 6, 3), (5, 6, 4), (4, 5, 1)])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_arrays_become_images_as_by_keras(shape, scale, data_format, tf):
    x = RNG.uniform(0, 200, shape)
    x = x.transpose(2, 0, 1) if data_format == "channels_first" else x
    ours, theirs = (u.array_to_img(x, data_format, scale) for u in (keras.utils, tf.keras.utils))
    assert ours.mode == theirs.mode
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    back = keras.utils.img_to_array(ours, data_format)
    np.testing.assert_array_equal(back, tf.keras.utils.img_to_array(theirs, data_format))


def test_a_saved_image_comes_back(tmp_path):
    pixels = RNG.integers(0, 256, (5, 6, 3)).astype(float)
    keras.utils.save_img(tmp_path / "x.png", pixels, scale=False)
    np.testing.assert_array_equal(
        keras.utils.img_to_array(keras.utils.load_img(tmp_path / "x.png")), pixels
    )
    keras.utils.save_img(tmp_path / "x.jpg", np.zeros((4, 4, 4)))
    assert Image.open(tmp_path / "x.jpg").mode == "RGB"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda u: u.load_img(io.BytesIO(b"nothing")), "no readable"),
        (lambda u: u.img_to_array(np.zeros(3)), "Unsupported image shape"),
        (lambda u: u.array_to_img(np.zeros((3, 3))), "rank 3"),
        (lambda u: u.array_to_img(np.zeros((3, 3, 2))), "Unsupported channel number"),
        (lambda u: u.array_to_img(np.zeros((3, 3, 3)), "last"), "data_format"),
    ],
)
def test_what_is_no_image_is_a_value_error(attempt, says):
    with pytest.raises(ValueError, match=says):
        attempt(keras.utils)


@pytest.mark.parametrize("shape", [(9, 12, 3), (2, 9, 12, 3)])
@pytest.mark.parametrize("size", [(5, 5), (4, 12), (20, 3)])
def test_smart_resize_is_keras(shape, size, tf):
    x = RNG.uniform(size=shape).astype(np.float32)
    ours, theirs = (
        library.preprocessing.image.smart_resize(x, size) for library in (keras, tf.keras)
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


# ----- folders of images -----


@pytest.fixture
def folder(tmp_path):
    files.write_photographs(tmp_path / "photos", ["cats", "dogs"], 5, suffix="png")
    (tmp_path / "photos/dogs/deep").mkdir()
    files.write_photographs(tmp_path / "photos/dogs", ["deep"], 2, (8, 5), suffix="PNG")
    (tmp_path / "photos/dogs/notes.txt").write_text("no image")
    (tmp_path / "photos/.hidden").mkdir()
    return tmp_path / "photos"


FOLDERS = {
    "as it is": {},
    "categorical": {"label_mode": "categorical"},
    "binary": {"label_mode": "binary"},
    "no mode": {"label_mode": None},
    "no labels": {"labels": None},
    "gray": {"color_mode": "grayscale"},
    "rgba": {"color_mode": "rgba"},
    "names": {"class_names": ["dogs", "cats"]},
    "one name": {"class_names": ["cats"]},
    "list of labels": {"labels": [0, 1, 2] * 4},
    "validation": {"validation_split": 0.3, "subset": "validation"},
    "training": {"validation_split": 0.3, "subset": "training"},
    "nearest": {"interpolation": "nearest"},
    "area": {"interpolation": "area"},
    "cropped": {"crop_to_aspect_ratio": True},
    "padded": {"pad_to_aspect_ratio": True},
    "channels first": {"data_format": "channels_first"},
    "small batches": {"batch_size": 5},
    "single images": {"batch_size": None},
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_images_is_keras_data_set(folder, name, tf):
    how = {"image_size": (8, 10), "shuffle": False, "verbose": False} | FOLDERS[name]
    ours, theirs = (
        library.utils.image_dataset_from_directory(str(folder), **how)
        for library in (keras, tf.keras)
    )
    assert ours.class_names == theirs.class_names
    assert list(ours.file_paths) == list(theirs.file_paths)
    assert len(ours) == len(theirs)
    for one, two in zip(ours.as_numpy_iterator(), theirs.as_numpy_iterator(), strict=True):
        pairs = zip(one, two, strict=True) if isinstance(two, tuple) else [(one, two)]
        for a, b in pairs:
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            # a gray level is cut off from 15 bits there and from decimals here
            np.testing.assert_allclose(a, b, atol=1 if name == "gray" else 1e-3)
            assert np.abs(a - b).mean() < 0.02


@pytest.mark.parametrize("subset", ["training", "validation"])
def test_a_seed_holds_out_the_same_files_as_keras(folder, subset, tf):
    how = {"seed": 7, "validation_split": 0.4, "subset": subset, "verbose": False}
    ours, theirs = (
        library.utils.image_dataset_from_directory(str(folder), **how)
        for library in (keras, tf.keras)
    )
    assert list(ours.file_paths) == list(theirs.file_paths)


def test_both_parts_together_are_all_files(folder, capsys):
    parts = keras.preprocessing.image_dataset_from_directory(
        folder, seed=1, validation_split=0.25, subset="both", image_size=4
    )
    paths = [path for part in parts for path in part.file_paths]
    assert len(paths) == len(set(paths)) == 12
    assert [len(part.file_paths) for part in parts] == [9, 3]
    assert "Found 12 files belonging to 2 classes." in capsys.readouterr().out


def test_shuffled_images_keep_their_labels(folder):
    plain = keras.utils.image_dataset_from_directory(
        folder, image_size=(4, 4), shuffle=False, batch_size=None
    )
    mixed = keras.utils.image_dataset_from_directory(
        folder, image_size=(4, 4), seed=5, batch_size=None
    )
    known = {x.tobytes(): int(y) for x, y in plain.as_numpy_iterator()}
    order = [(x.tobytes(), int(y)) for x, y in mixed.as_numpy_iterator()]
    assert all(known[x] == y for x, y in order)
    assert [y for _, y in order] != sorted(y for _, y in order)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"labels": "all"}, "`labels` argument should be"),
        ({"label_mode": "one"}, "`label_mode` must be one of"),
        ({"color_mode": "cmyk"}, "`color_mode` must be one of"),
        ({"interpolation": "cubic"}, "`interpolation` must be one of"),
        ({"format": "grain"}, "`format` must be one of"),
        ({"image_size": (3, 3, 3)}, "Invalid `image_size`"),
        ({"validation_split": 2, "subset": "both"}, "between 0 and 1"),
        ({"subset": "both"}, "`validation_split` must be set"),
        ({"validation_split": 0.2, "subset": "test"}, "`subset` must be either"),
        ({"validation_split": 0.2, "subset": "both"}, "you must provide a `seed`"),
        ({"labels": [1, 2]}, "len.labels. is 2 while we found 12 files"),
        ({"class_names": ["birds"]}, "did not match the names"),
        ({"labels": None, "class_names": ["cats"]}, "You can only pass `class_names`"),
        ({"label_mode": "binary", "class_names": ["cats"]}, "exactly 2"),
        ({"validation_split": 0.01, "seed": 1, "subset": "validation"}, "No validation images"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "Only one of"),
    ],
)
def test_illegal_arguments_of_folders_are_refused(folder, how, says):
    with pytest.raises(ValueError, match=says):
        keras.utils.image_dataset_from_directory(folder, verbose=False, **how)


def test_a_damaged_image_in_a_folder_is_named(folder):
    (folder / "cats/3.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    dataset = keras.utils.image_dataset_from_directory(folder, verbose=False)
    with pytest.raises(ValueError, match=r"cats/3\.png: .*no readable"):
        list(dataset)
    with pytest.raises(FileNotFoundError):
        keras.utils.image_dataset_from_directory(folder / "nowhere")


# ----- get_file -----


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture
def served(tmp_path):
    root = tmp_path / "served"
    root.mkdir()
    (root / "file.txt").write_bytes(b"words")
    with zipfile.ZipFile(root / "folder.zip", "w") as archive:
        archive.writestr("inside/one.txt", "1")
        archive.writestr("../outside.txt", "2")
    files.write_archive(root / "folder.tar.gz", {"one.txt": b"1"}, "inside")
    files.write_archive(root / "evil.tar.gz", {"one.txt": b"1"}, "../../outside")
    handler = functools.partial(Quiet, directory=root)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_file_is_fetched_once_and_checked(tmp_path, served, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    sha = hashlib.sha256(b"words").hexdigest()
    path = keras.utils.get_file(origin=served + "file.txt", file_hash=sha)
    assert path == str(tmp_path / "keras/datasets/file.txt")
    (tmp_path / "served/file.txt").write_bytes(b"other")
    assert keras.utils.get_file(origin=served + "file.txt", file_hash=sha) == path
    (tmp_path / "keras/datasets/file.txt").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="checksum"):
        keras.utils.get_file(origin=served + "file.txt", file_hash=sha)
    md5 = hashlib.md5(b"other").hexdigest()
    again = keras.utils.get_file("mine", served + "file.txt", md5_hash=md5, cache_dir=tmp_path)
    assert again == str(tmp_path / "datasets/mine")


def test_archives_are_unpacked_as_keras_names_them(tmp_path, served, tf):
    for count, how in enumerate(
        ({"fname": "goal"}, {"fname": "goal.tar.gz"}, {}),
    ):
        found = []
        for name, library in (("ours", keras), ("theirs", tf.keras)):
            cache = tmp_path / f"{name}{count}"
            cache.mkdir()
            path = library.utils.get_file(
                origin=served + "folder.tar.gz", extract=True, cache_dir=str(cache), **how
            )
            names = sorted(str(p.relative_to(cache)) for p in cache.rglob("*"))
            found.append((path.removeprefix(str(cache)), names))
        assert found[0] == found[1]


def test_members_of_archives_stay_in_their_folder(tmp_path, served):
    path = keras.utils.get_file("zip", served + "folder.zip", extract=True, cache_dir=tmp_path)
    assert (tmp_path / "datasets/zip/inside/one.txt").read_text() == "1"
    assert [p for p in tmp_path.rglob("outside*") if "datasets/zip" not in str(p)] == []
    assert path == str(tmp_path / "datasets/zip")
    with pytest.raises(ValueError, match="no archive that can be unpacked"):
        keras.utils.get_file("evil", served + "evil.tar.gz", extract=True, cache_dir=tmp_path)


def pack(path, kind):
    """An archive of 20 files."""
    content = {f"inside/{k}.txt": bytes([k]) * 999 for k in range(20)}
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, f"w:{kind}") as archive:
            for name, data in content.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return content


ARCHIVES = ["zip", "", "gz", "bz2", "xz"]


@pytest.mark.parametrize("kind", ARCHIVES)
def test_half_of_an_archive_does_not_pass_for_the_whole(tmp_path, served, monkeypatch, kind):
    """Stopped at every tenth of the way, and then asked again; twice at the same time, too."""
    content = pack(tmp_path / "served/many", kind)
    fetch = functools.partial(
        keras.utils.get_file, "goal", served + "many", extract=True, cache_dir=tmp_path
    )
    left = 0

    def stopping(copy, *args, **settings):
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return copy(*args, **settings)

    for module in (shutil, tarfile):
        copy = functools.partial(stopping, module.copyfileobj)
        monkeypatch.setattr(module, "copyfileobj", copy)
    for stop in range(2, 20, 2):
        left = stop
        with pytest.raises(KeyboardInterrupt):
            fetch()
        assert sorted(p.name for p in (tmp_path / "datasets").iterdir()) == ["goal_archive"]
    left = 10**9
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: fetch(), range(4)))
    fetch(force_download=True)
    assert paths == {str(tmp_path / "datasets/goal")}
    found = {name: (tmp_path / "datasets/goal" / name).read_bytes() for name in content}
    assert found == content
    assert len(list((tmp_path / "datasets").iterdir())) == 2
    plain = tmp_path / "plain"
    plain.mkdir()
    assert (tmp_path / "datasets/goal").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_damaged_archive_is_refused_and_leaves_no_folder(tmp_path, served, kind):
    pack(tmp_path / "served/many", kind)
    data = (tmp_path / "served/many").read_bytes()
    refused = 0
    for i in range(60):
        draw = np.random.default_rng([4, i])
        broken = bytearray(data)
        at = int(draw.integers(len(data)))
        if i % 3:
            broken[at : at + 8] = draw.bytes(8)
        else:
            del broken[at:]
        (tmp_path / "served/many").write_bytes(broken)
        try:
            keras.utils.get_file(
                "goal", served + "many", extract=True, cache_dir=tmp_path, force_download=True
            )
        except (ValueError, OSError):
            refused += 1
            assert not (tmp_path / "datasets/goal").exists()
        shutil.rmtree(tmp_path / "datasets/goal", ignore_errors=True)
    assert refused > 5
    assert [p.name for p in (tmp_path / "datasets").iterdir()] == ["goal_archive"]


@pytest.mark.parametrize(
    "how", [{}, {"fname": "a/b", "origin": "http://x/y"}, {"origin": "http://x"}]
)
def test_files_without_a_url_or_with_folders_in_their_name_are_refused(how):
    with pytest.raises(ValueError, match=r"origin|without folders"):
        keras.utils.get_file(**how)


# ----- seeds, backend, random -----


def test_one_seed_starts_every_generator():
    import random

    def draws():
        keras.utils.set_random_seed(4)
        old = np.random.random()  # noqa: NPY002  (what older programs draw from)
        return random.random(), old, float(mt.random.uniform([]))

    assert draws() == draws()
    with pytest.raises(ValueError, match="non-negative"):
        keras.utils.set_random_seed(-1)


def test_a_new_session_counts_names_again():
    keras.utils.clear_session()
    first = keras.layers.Dense(1).name
    keras.backend.clear_session()
    assert keras.layers.Dense(1).name == first


def test_backend_has_the_settings_and_simple_arithmetic(tf):
    K, x = keras.backend, np.array([[1.0, -2.0]], np.float32)
    assert (K.floatx(), K.epsilon(), K.image_data_format()) == ("float32", 1e-7, "channels_last")
    for name in ("mean", "sum", "square", "abs", "max", "flatten", "cast_to_floatx"):
        ours, theirs = getattr(K, name)(x), getattr(tf.keras.backend, name)(tf.constant(x))
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs))
    v = mt.Variable([1.0, 2.0])
    K.set_value(v, [3.0, 4.0])
    assert K.get_value(v).tolist() == [3.0, 4.0]
    assert (K.int_shape(v), K.ndim(v), K.count_params(v)) == ((2,), 1, 2)


def test_draws_of_keras_random_repeat_with_a_seed():
    R = keras.random
    for draw in (
        R.normal,
        R.truncated_normal,
        R.uniform,
        lambda s, seed: R.randint(s, 0, 9, seed=seed),
    ):
        assert draw((5,), seed=3).numpy().tolist() == draw((5,), seed=3).numpy().tolist()
        one, other = R.SeedGenerator(8), R.SeedGenerator(8)
        first, second = (draw((5,), seed=one).numpy().tolist() for _ in range(2))
        assert first != second
        assert draw((5,), seed=other).numpy().tolist() == first
    columns = R.shuffle(np.arange(6).reshape(2, 3), axis=1, seed=1).numpy()
    assert sorted(columns[0].tolist()) == [0, 1, 2]
    assert (columns[1] - columns[0] == 3).all()
    assert set(np.unique(R.dropout(mt.ones([100]), 0.5, seed=1).numpy())) == {0, 2}


# ----- tfds -----


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(search_paths, "folders", lambda: [tmp_path])
    return tmp_path


def test_flowers_are_read_from_their_folder(home):
    names = ["daisy", "dandelion", "roses", "sunflowers", "tulips"]
    written = files.write_photographs(home / "flower_photos", names, 4, size=(9, 12))
    dataset = tfds.load("tf_flowers", split=tfds.Split.TRAIN, as_supervised=True)
    assert len(dataset) == 20
    labels = []
    pixels = {np.asarray(Image.open(file)).tobytes(): file.parent.name for file in written}
    order = ["dandelion", "daisy", "tulips", "sunflowers", "roses"]
    for image, label in dataset.as_numpy_iterator():
        assert (image.shape, image.dtype, label.dtype) == ((9, 12, 3), np.uint8, np.int64)
        assert order[label] == pixels[image.tobytes()]
        labels.append(label)
    assert labels != sorted(labels)
    with_names = next(iter(tfds.load("tf_flowers", split="train")))
    assert set(with_names) == {"image", "label"}


def test_parts_of_a_split_are_cut_where_tensorflow_datasets_cuts(home):
    files.write_mnist_npz(home / "mnist.npz", 20, 10)
    whole = tfds.load("mnist", split="train", as_supervised=True)
    parts = tfds.load(
        "mnist", split=["train[:75%]", "train[75%:]", "test[2:5]"], as_supervised=True
    )
    assert [len(part) for part in parts] == [15, 5, 3]
    joined = [y for part in parts[:2] for _, y in part.as_numpy_iterator()]
    assert joined == [y for _, y in whole.as_numpy_iterator()]
    assert next(iter(whole))[0].shape == [28, 28, 1]
    assert set(tfds.load("mnist", batch_size=4)) == {"train", "test"}


def test_other_data_sets_and_splits_are_refused(home):
    with pytest.raises(ValueError, match=r"'coco' is not read here; legal: .*tf_flowers"):
        tfds.load("coco", split="train")
    with pytest.raises(OSError, match="flower_photos is not on this machine"):
        tfds.load("tf_flowers", split="train")
    files.write_mnist_npz(home / "mnist.npz")
    with pytest.raises(ValueError, match="unknown split 'validation'"):
        tfds.load("mnist", split="validation")
