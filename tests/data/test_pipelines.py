"""Datasets inside datasets, padded batches, text, files: against tf.data, and by their own laws."""

# ruff: noqa: E501 (a line is a program)

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

import minitensor as mt
from minitensor.backend import generator
from minitensor.data import Dataset, stored


def plain(element):
    """An element as containers of (type, shape, values)."""
    if isinstance(element, dict):
        return {key: plain(item) for key, item in element.items()}
    if isinstance(element, tuple | list):
        return tuple(plain(item) for item in element)
    value = np.asarray(element)
    return str(value.dtype), value.shape, value.tolist()


def rows(tf, kind="int64"):
    """[], [1], [2, 2], [] ..."""
    return tf.data.Dataset.range(7).map(lambda n: tf.fill([n % 3], tf.cast(n, kind)))


def texts(tf):
    return tf.data.Dataset.from_tensor_slices(["a/x.jpg", "b/y.jpg", "a/é.jpg"])


def pairs(tf):
    return tf.data.Dataset.from_tensor_slices((np.arange(5), {"x": np.ones((5, 2), np.float32)}))


def failing(tf, *bad, count=6):
    """0.0, 1.0, an error, 3.0 ...; or errors at other places."""

    def made(n):
        wrong = tf.reduce_any([n == k for k in bad or [2]])
        x = tf.where(wrong, tf.constant(np.nan), tf.cast(n, tf.float32))
        return tf.debugging.check_numerics(x, "x")

    return tf.data.Dataset.range(count).map(made)


def windows(d, *given):
    """What stands in windows is their numbers: an error of `x` is one of its window all the same."""
    return d.enumerate().window(*given).flat_map(lambda i, x: i)


PIPELINES = {
    "flat_map": lambda tf: tf.data.Dataset.range(5).flat_map(tf.data.Dataset.range),
    "flat_map of pairs": lambda tf: pairs(tf).flat_map(
        lambda n, e: tf.data.Dataset.from_tensors((e["x"], n)).repeat(n % 3)
    ),
    "interleave": lambda tf: tf.data.Dataset.range(7).interleave(
        tf.data.Dataset.range, cycle_length=3, block_length=2
    ),
    "interleave as many as there are calls": lambda tf: tf.data.Dataset.range(7).interleave(
        lambda n: tf.data.Dataset.from_tensors(n).repeat(3), num_parallel_calls=2
    ),
    "window": lambda tf: tf.data.Dataset.range(9).window(3, 2).flat_map(lambda w: w.batch(3)),
    "window of pairs": lambda tf: pairs(tf).window(2, 1, 2, True).flat_map(
        lambda n, e: tf.data.Dataset.zip((n, e["x"])).batch(2)
    ),
    "group_by_window": lambda tf: tf.data.Dataset.range(9).group_by_window(
        lambda n: -(n % 2), lambda key, window: window.batch(9).map(lambda b: (key, b)), 3
    ),
    "group_by_window of sizes": lambda tf: tf.data.Dataset.range(9).group_by_window(
        lambda n: n % 2, lambda key, window: window.batch(4), window_size_func=lambda k: k + 1
    ),
    "padded_batch": lambda tf: rows(tf).padded_batch(3),
    "padded_batch to a shape": lambda tf: rows(tf).padded_batch(3, [4], np.int64(-1)),
    "padded_batch of pairs": lambda tf: tf.data.Dataset.zip((rows(tf), rows(tf, "float32"))).padded_batch(
        2, ([None], [-1]), (None, 1.5), drop_remainder=True
    ),
    "padded_batch of text": lambda tf: texts(tf).map(lambda s: tf.strings.split(s, ".")).padded_batch(
        2, [3], "?"
    ),
    "padded_batch of words": lambda tf: texts(tf).padded_batch(2),
    "take_while": lambda tf: tf.data.Dataset.range(9).take_while(lambda n: n * n < 20),
    "scan": lambda tf: pairs(tf).scan((0, 1), lambda s, e: ((s[1], s[0] + s[1]), (s[0], e))),
    "unique": lambda tf: tf.data.Dataset.from_tensor_slices([3, 1, 3, 2, 1]).unique(),
    "unique in containers": lambda tf: tf.data.Dataset.from_tensor_slices({"x": ([3, 1, 3, 2, 1],)}).unique(),
    "unique text": lambda tf: texts(tf).repeat(2).unique(),
    "rebatch": lambda tf: tf.data.Dataset.range(9).batch(4).rebatch(3),
    "rebatch by turns": lambda tf: tf.data.Dataset.range(9).batch(4).rebatch([1, 3], True),
    "ignore_errors": lambda tf: failing(tf).ignore_errors(),
    "ignore_errors of the first": lambda tf: failing(tf, 0).batch(2).ignore_errors(),
    "ignore_errors after batches": lambda tf: failing(tf).batch(2).ignore_errors(),
    "ignore_errors after a shuffle": lambda tf: failing(tf).shuffle(1).ignore_errors(),
    "choose_from_datasets": lambda tf: tf.data.Dataset.choose_from_datasets(
        [tf.data.Dataset.range(3), tf.data.Dataset.range(10, 12)],
        tf.data.Dataset.from_tensor_slices(np.array([0, 1, 1, 1, 0, 0, 0])),
        stop_on_empty_dataset=False,
    ),
    "choose until one is empty": lambda tf: tf.data.Dataset.choose_from_datasets(
        [tf.data.Dataset.range(3), tf.data.Dataset.range(10, 12)],
        tf.data.Dataset.from_tensor_slices(np.array([0, 1, 1, 1, 0, 0, 0])),
    ),
    "counter": lambda tf: tf.data.experimental.Counter(5, -2).take(3),
    "text": texts,
    "labels of folders": lambda tf: texts(tf).map(
        lambda path: tf.argmax(tf.strings.split(path, "/")[-2] == np.array(["a", "b"]))
    ),
    "text in batches": lambda tf: texts(tf).batch(2).map(lambda s: (tf.strings.length(s), s + "!")),
    "text from a generator": lambda tf: tf.data.Dataset.from_generator(
        lambda: ["a", b"b\0"], output_signature=tf.TensorSpec([], tf.string)
    ),
    "py_function": lambda tf: tf.data.Dataset.range(3).map(
        lambda n: tf.py_function(lambda m: (m + 1, 2.5), [n], [tf.int64, tf.float32])
    ),
    "numpy_function": lambda tf: texts(tf).map(
        lambda s: tf.numpy_function(lambda path: path.decode()[0], [s], tf.string)
    ),
    "an empty row of a type": lambda tf: tf.data.Dataset.from_generator(
        lambda: [[], [1]], output_signature=tf.TensorSpec([None], tf.int32)
    ),
    "concatenate of shapes": lambda tf: tf.data.Dataset.from_tensors([1, 2]).concatenate(
        tf.data.Dataset.from_tensors([1, 2, 3])
    ),
    "concatenate of ranks": lambda tf: tf.data.Dataset.from_tensors([1, 2]).concatenate(
        tf.data.Dataset.from_tensors([[1, 2, 3]])
    ),
    "unbatch counts": lambda tf: tf.data.Dataset.from_tensor_slices(np.ones((3, 2))).unbatch(),
    "unbatch of whole batches": lambda tf: tf.data.Dataset.range(7).batch(2, True).unbatch(),
    "unbatch of other batches": lambda tf: tf.data.Dataset.range(7).batch(2).unbatch(),
    "unbatch without end": lambda tf: tf.data.Dataset.range(2).repeat().batch(2).unbatch().take(5),
    "options": lambda tf: tf.data.Dataset.range(2).with_options(tf.data.Options()),
}  # fmt: skip


@pytest.mark.parametrize("name", PIPELINES)
def test_elements_their_number_and_their_spec_are_tensorflows(name, tf):
    ours, theirs = PIPELINES[name](mt), PIPELINES[name](tf)
    for _ in range(2):
        found = [plain(element) for element in ours.as_numpy_iterator()]
        assert found == [plain(element) for element in theirs.as_numpy_iterator()]
    assert ours.cardinality().numpy() == theirs.cardinality().numpy()
    pairs = zip(
        tf.nest.flatten(ours.element_spec), tf.nest.flatten(theirs.element_spec), strict=True
    )
    for mine, yours in pairs:
        assert mine.dtype.name == yours.dtype.name
        assert mine.shape is None or yours.shape.is_compatible_with(list(mine.shape))


FAILING = {
    "map": failing,
    "batch": lambda tf: failing(tf).batch(2),
    "batch in parallel": lambda tf: failing(tf).batch(2, num_parallel_calls=2),
    "batch after another step": lambda tf: failing(tf, 0, 4, count=9).take(9).batch(3, True),
    "batch of what is left": lambda tf: failing(tf, 4, count=5).batch(2, True),
    "batch of shapes": lambda tf: rows(tf).batch(2).map(tf.reduce_sum),
    "padded_batch": lambda tf: failing(tf, 1, 3).padded_batch(3),
    "padded_batch to less": lambda tf: rows(tf).padded_batch(1, [1]).map(tf.reduce_sum),
    "rebatch": lambda tf: failing(tf, 4, count=9).batch(2).rebatch([3, 2]),
    "rebatch without a remainder": lambda tf: failing(tf, 1, 4, count=9).batch(2).rebatch([1, 2], True),
    "unbatch": lambda tf: failing(tf).batch(2).unbatch(),
    "window": lambda tf: windows(failing(tf), 2, 1),
    "window with a stride": lambda tf: windows(failing(tf, 1), 2, 1, 2),
    "between windows": lambda tf: windows(failing(tf, 1, 3), 1, 2),
    "between a window's elements": lambda tf: windows(failing(tf, 1, count=12), 2, 5, 2, True),
    "a window that is not full": lambda tf: windows(failing(tf), 7, 1, 1, True),
    "flat_map": lambda tf: failing(tf).flat_map(lambda x: tf.data.Dataset.from_tensors(x).repeat(2)),
    "inside flat_map": lambda tf: tf.data.Dataset.range(3).flat_map(lambda n: failing(tf, 1, count=3)),
    "interleave": lambda tf: failing(tf).interleave(
        lambda x: tf.data.Dataset.from_tensors(x).repeat(3), 2, 2
    ),
    "inside interleave": lambda tf: failing(tf, 0, 3, count=8).interleave(
        lambda x: failing(tf, 1, count=3).map(lambda y: x * 10 + y), 3, 2
    ),
    "group_by_window": lambda tf: failing(tf, 0, 3, 5).enumerate().group_by_window(
        lambda i, x: i % 2, lambda key, window: window.map(lambda i, x: x).batch(2), 2
    ),
    "choose_from_datasets": lambda tf: tf.data.Dataset.choose_from_datasets(
        [failing(tf), failing(tf, 1)], tf.data.Dataset.range(9).map(lambda n: n % 2), False
    ),
    "choose past the end": lambda tf: tf.data.Dataset.choose_from_datasets(
        [failing(tf)], tf.data.Dataset.range(4).map(lambda n: n % 2)
    ),
    "concatenate": lambda tf: failing(tf).concatenate(failing(tf, 0)),
    "concatenate a cache": lambda tf: (lambda d: d.concatenate(d))(failing(tf).cache()),
    "unique": lambda tf: failing(tf).repeat(2).map(lambda x: tf.cast(x, tf.int32)).unique(),
    "skip": lambda tf: failing(tf, 0, 2, count=9).skip(2),
    "take": lambda tf: failing(tf).take(3),
    "shard": lambda tf: failing(tf, 1, 2, 7, count=12).shard(4, 2),
    "shuffle": lambda tf: failing(tf).shuffle(1),
    "repeat": lambda tf: failing(tf).repeat(2),
    "repeat nothing else": lambda tf: failing(tf, 0, count=1).repeat(3),
    "cache": lambda tf: failing(tf).cache().repeat(2),
    "zip": lambda tf: tf.data.Dataset.zip((failing(tf, 1, count=2), failing(tf, 0))).map(lambda a, b: a),
    "scan": lambda tf: failing(tf).scan(0.0, lambda s, x: (s + x, s)),
    "take_while": lambda tf: failing(tf).take_while(lambda x: x < 4),
    "assert_cardinality": lambda tf: failing(tf).apply(tf.data.experimental.assert_cardinality(5)),
    "a generator's shape": lambda tf: tf.data.Dataset.from_generator(
        lambda: iter([[1], [1, 2], [3]]), output_signature=tf.TensorSpec([1], tf.int32)
    ),
}  # fmt: skip


def events(dataset):
    """What comes from it, an error as its word."""
    found, iterator = [], iter(dataset)
    while len(found) < 40:
        try:
            found.append(plain(next(iterator)))
        except StopIteration:
            return found
        except Exception:
            found.append("error")
    raise AssertionError(f"no end: {found}")


@pytest.mark.parametrize("name", FAILING)
def test_after_an_error_comes_what_comes_in_tensorflow(name, tf):
    assert events(FAILING[name](mt)) == events(FAILING[name](tf))


def test_the_lines_of_the_next_file_come_after_a_missing_one(tmp_path):
    """Where TensorFlow gives the same error without end."""
    (tmp_path / "there").write_text("a\nb\n")
    lines = mt.data.TextLineDataset([str(tmp_path / name) for name in ("there", "not", "there")])
    assert [e if e == "error" else e[2] for e in events(lines)] == [b"a", b"b", "error", b"a", b"b"]


REFUSED = {
    "concatenate of types": lambda tf: tf.data.Dataset.range(3).concatenate(
        tf.data.Dataset.from_tensor_slices([1.0])
    ),
    "concatenate of text": lambda tf: tf.data.Dataset.range(3).concatenate(texts(tf)),
    "concatenate of containers": lambda tf: tf.data.Dataset.range(3).concatenate(pairs(tf)),
    "concatenate of computed types": lambda tf: list(
        tf.data.Dataset.range(3).concatenate(tf.data.Dataset.range(3).map(lambda n: n / 2))
    ),
    "choose of types": lambda tf: tf.data.Dataset.choose_from_datasets(
        [tf.data.Dataset.range(3), texts(tf)], tf.data.Dataset.range(2)
    ),
    "zip of nothing": lambda tf: tf.data.Dataset.zip(()),
    "choose of nothing": lambda tf: tf.data.Dataset.choose_from_datasets([], tf.data.Dataset.range(2)),
    "choose past the end": lambda tf: list(tf.data.Dataset.choose_from_datasets(
        [tf.data.Dataset.range(3)], tf.data.Dataset.range(1, 2))),
    "flat_map to a tensor": lambda tf: list(tf.data.Dataset.range(3).flat_map(lambda n: n)),
    "interleave to a tensor": lambda tf: list(tf.data.Dataset.range(3).interleave(lambda n: n)),
    "interleave of nothing": lambda tf: list(
        tf.data.Dataset.range(3).interleave(tf.data.Dataset.range, cycle_length=0)
    ),
    "window of nothing": lambda tf: tf.data.Dataset.range(3).window(0),
    "window without a shift": lambda tf: tf.data.Dataset.range(3).window(2, 0),
    "window as numbers": lambda tf: list(tf.data.Dataset.range(3).window(2).as_numpy_iterator()),
    "padded_batch of nothing": lambda tf: rows(tf).padded_batch(0),
    "padded_batch to less": lambda tf: list(rows(tf).padded_batch(3, [1])),
    "padded_batch of another rank": lambda tf: tf.data.Dataset.range(3).padded_batch(2, [3]),
    "padded_batch of another type": lambda tf: tf.data.Dataset.range(3).padded_batch(
        2, padding_values=1.5
    ),
    "padded_batch of int32": lambda tf: tf.data.Dataset.range(3).padded_batch(2, padding_values=1),
    "padded_batch of more shapes": lambda tf: pairs(tf).padded_batch(2, ([], [], [])),
    "unique floats": lambda tf: tf.data.Dataset.from_tensor_slices([1.0]).unique(),
    "unique windows": lambda tf: list(tf.data.Dataset.range(3).window(2).unique()),
    "unique pairs": lambda tf: pairs(tf).unique(),
    "rebatch of scalars": lambda tf: tf.data.Dataset.range(3).rebatch(2),
    "unbatch of scalars": lambda tf: list(tf.data.Dataset.range(3).unbatch()),
    "scan of one": lambda tf: list(tf.data.Dataset.range(3).scan(0, lambda s, n: s)),
    "scan to another type": lambda tf: list(tf.data.Dataset.range(3).scan(0, lambda s, n: (n, n))),
    "no single element": lambda tf: tf.data.Dataset.range(0).get_single_element(),
    "more than one element": lambda tf: tf.data.Dataset.range(2).get_single_element(),
    "no file": lambda tf: list(tf.data.Dataset.list_files("/nowhere/*.jpg")),
    "no saved dataset": lambda tf: tf.data.Dataset.load("/nowhere"),
    "no options": lambda tf: tf.data.Dataset.range(2).with_options(3),
    "an unknown option": lambda tf: setattr(tf.data.Options(), "nope", 1),
    "an unknown option inside": lambda tf: setattr(tf.data.Options().threading, "nope", 1),
    "py_function of another type": lambda tf: tf.py_function(lambda x: x + 0.5, [1.0], tf.int32),
    "numpy_function of another type": lambda tf: list(
        tf.data.Dataset.range(1).map(
            lambda n: tf.numpy_function(lambda m: np.float64(m), [n], tf.float32)
        )
    ),
    "numpy_function of more": lambda tf: list(
        tf.data.Dataset.range(1).map(lambda n: tf.numpy_function(lambda m: (m, m), [n], tf.int64))
    ),
    "a choice of both window sizes": lambda tf: tf.data.Dataset.range(3).group_by_window(
        lambda n: n, lambda k, w: w, 2, lambda k: 2
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_tensorflow_refuses_is_refused(name, tf):
    with pytest.raises(Exception):  # noqa: B017, PT011 (its own kinds of error)
        REFUSED[name](tf)
    with pytest.raises((TypeError, ValueError, OSError, AttributeError)):
        REFUSED[name](mt)


METHODS = [
    *("flat_map", "interleave", "window", "group_by_window", "padded_batch", "take_while", "scan"),
    *("unique", "rebatch", "with_options", "options", "ignore_errors", "save", "load", "snapshot"),
    *("cache", "get_single_element", "list_files", "choose_from_datasets", "sample_from_datasets"),
    *("counter", "random"),
]


def words(function):
    found = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, getattr(p.default, "name", p.default)) for p in found]


@pytest.mark.parametrize("name", METHODS)
def test_signatures_are_tensorflows(name, tf):
    assert words(getattr(Dataset, name)) == words(getattr(tf.data.Dataset, name))


@pytest.mark.parametrize("name", ["py_function", "numpy_function"])
def test_functions_have_tensorflows_arguments(name, tf):
    assert words(getattr(mt, name)) == words(getattr(tf, name))


def test_options_have_tensorflows_names(tf):
    ours, theirs = mt.data.Options(), tf.data.Options()
    for mine, yours in [(ours, theirs), (ours.threading, theirs.threading)]:
        names = {n for n in dir(yours) if not n.startswith("_") and n not in ("merge",)}
        assert names - {"experimental_service"} == {*type(mine)._names}
    ours.experimental_optimization.map_fusion = True
    ours.deterministic = False
    found = Dataset.range(2).with_options(ours).map(lambda n: n).options()
    assert (found.deterministic, found.experimental_optimization.map_fusion) == (False, True)


def test_windows_are_datasets_that_can_be_read_again():
    windows = list(pairs(mt).window(2, drop_remainder=True))
    n, e = windows[1]
    assert isinstance(n, Dataset)
    for _ in range(2):
        assert [int(x) for x in n] == [2, 3]
    assert (len(n), e["x"].element_spec) == (2, mt.TensorSpec([2], "float32"))


def test_text_is_given_as_string_tensors():
    element = next(iter(texts(mt)))
    assert (element.dtype, element.numpy()) == (mt.string, b"a/x.jpg")
    assert texts(mt).element_spec == mt.TensorSpec([], mt.string)


# ----- nobody else's memory (A5) -----


class Buffer:
    """Yields one array again and again, changed in between."""

    def __iter__(self):
        array = np.zeros(2)
        for n in range(3):
            array[:] = n
            yield array


SOURCES = {
    "from_tensor_slices": lambda a: Dataset.from_tensor_slices(a),
    "from_tensor_slices of a pair": lambda a: Dataset.from_tensor_slices((a, {"x": a})),
    "from_tensors": lambda a: Dataset.from_tensors(a),
    "a view": lambda a: Dataset.from_tensor_slices(a[::-1]),
    "a sealed view": lambda a: Dataset.from_tensor_slices(sealed(a[:])),
    "a variable": lambda a: Dataset.from_tensors(a),
    "a cache": lambda a: Dataset.from_tensor_slices(a).batch(2).cache(),
}


def sealed(view):
    view.flags.writeable = False
    return view


@pytest.mark.parametrize("name", SOURCES)
def test_a_dataset_does_not_change_with_the_callers_array(name):
    array = np.zeros((4, 2))
    dataset = SOURCES[name](array)
    before = [plain(e) for e in dataset.as_numpy_iterator()]
    array += 1
    assert [plain(e) for e in dataset.as_numpy_iterator()] == before


def test_a_dataset_does_not_change_with_a_variable():
    variable = mt.Variable([0.0, 0.0])
    dataset = Dataset.from_tensors(variable)
    variable.assign_add([1.0, 1.0])
    assert next(iter(dataset)).numpy().tolist() == [0, 0]


def test_a_generator_may_use_its_array_again():
    dataset = Dataset.from_generator(lambda: iter(Buffer())).batch(3)
    assert next(iter(dataset)).numpy()[:, 0].tolist() == [0, 1, 2]


# ----- chance: one draw for each pass -----

RANDOM = {
    "flat_map of shuffles": lambda: Dataset.range(5).flat_map(
        lambda n: Dataset.range(9).shuffle(9).take(3)
    ),
    "interleave of noise": lambda: Dataset.range(5).interleave(
        lambda n: Dataset.range(3).map(lambda m: mt.random.uniform([]))
    ),
    "sample_from_datasets": lambda: Dataset.sample_from_datasets(
        [Dataset.range(9), Dataset.range(100, 109)], [0.7, 0.3]
    ),
    "windows of a shuffle": lambda: (
        Dataset.range(9).shuffle(9).window(3).flat_map(lambda w: w.shuffle(3))
    ),
    "random": lambda: Dataset.random().take(5),
    "a scan of noise": lambda: Dataset.range(5).scan(
        0.0, lambda s, n: (s + mt.random.uniform([]), s)
    ),
}


@pytest.mark.parametrize("name", RANDOM)
def test_a_pass_is_the_same_again_from_the_generators_state(name):
    mt.random.set_seed(3)
    dataset = RANDOM[name]()
    list(dataset)
    saved = generator.state()
    epoch = [plain(e) for e in dataset.as_numpy_iterator()]
    after = generator.state()
    generator.restore(saved)
    assert [plain(e) for e in dataset.as_numpy_iterator()] == epoch
    assert generator.state() == after
    generator.restore(saved)
    iter(Dataset.range(2))
    assert generator.state() == after  # one draw, whatever the dataset does
    assert [plain(e) for e in dataset.as_numpy_iterator()] != epoch


def test_seeded_shuffles_inside_a_flat_map_do_not_depend_on_memory():
    def order():
        made = Dataset.range(20).flat_map(lambda n: Dataset.range(9).shuffle(9, seed=1))
        return [int(n) for n in made]

    first = order()
    assert all(order() == first for _ in range(5))
    assert first[:9] == first[9:18]


def test_samples_have_their_shares():
    ones, twos = Dataset.from_tensors(1).repeat(), Dataset.from_tensors(2).repeat()
    mixed = Dataset.sample_from_datasets([ones, twos], [0.9, 0.1], seed=0)
    found = [int(n) for n in mixed.take(1000)]
    assert 850 < found.count(1) < 950
    assert [int(n) for n in mixed.take(20)] == found[:20]


def test_sampling_ends_when_what_is_left_is_never_drawn():
    mixed = Dataset.sample_from_datasets([Dataset.range(2), Dataset.range(9)], [1.0, 0.0])
    assert [int(n) for n in mixed] == [0, 1]


# ----- files -----


def test_files_are_listed_as_by_tensorflow(tmp_path, tf):
    for name in ("b.png", "a.png", "c.txt", ".hidden.png", "sub/d.png", "z[1].png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    patterns = ["*.png", "*/*.png", "?.*", "[ab].png", ["c*", "*.png"], "[!a].png", "**/d.png"]
    for pattern in patterns:
        full = [f"{tmp_path}/{p}" for p in ([pattern] if isinstance(pattern, str) else pattern)]
        ours, theirs = (m.data.Dataset.list_files(full, shuffle=False) for m in (mt, tf))
        assert [*ours.as_numpy_iterator()] == [*theirs.as_numpy_iterator()]
        assert len(ours) == len(theirs)
        assert mt.io.matching_files(full).numpy().tolist() == [*ours.as_numpy_iterator()]
    mixed = Dataset.list_files(f"{tmp_path}/*.png", seed=1)
    assert sorted(mixed.as_numpy_iterator()) == [
        *Dataset.list_files(f"{tmp_path}/*.png", shuffle=False).as_numpy_iterator()
    ]


def test_a_folder_of_classes_becomes_batches(tmp_path):
    for label in ("cats", "dogs"):
        for k in range(3):
            pixels = np.full((4, 4, 3), k, np.uint8)
            mt.io.write_file(f"{tmp_path}/{label}/{k}.png", mt.io.encode_png(pixels))
    names = np.array(["cats", "dogs"])

    def parsed(path):
        label = mt.strings.split(path, "/")[-2] == names
        return mt.image.resize(mt.io.decode_png(mt.io.read_file(path), 3), [2, 2]), mt.argmax(label)

    files = mt.data.Dataset.list_files(str(tmp_path / "*/*"), shuffle=False)
    x, y = next(iter(files.map(parsed).batch(6)))
    assert (x.shape, y.numpy().tolist()) == ([6, 2, 2, 3], [0, 0, 0, 1, 1, 1])
    assert x.numpy()[:, 0, 0, 0].tolist() == [0, 1, 2, 0, 1, 2]


def many(tf):
    """Elements of every kind that can be saved."""
    numbers = {
        k: np.arange(6).reshape(3, 2).astype(k) for k in ("uint8", "bool", "float16", "int64")
    }
    return Dataset.zip((Dataset.from_tensor_slices(numbers), (rows(mt).take(3), texts(mt).map(
        lambda s: (s, mt.strings.split(s + b"\0", "/"), mt.cast([1.5], "bfloat16"))))))  # fmt: skip


@pytest.mark.parametrize("compression", [None, "GZIP"])
def test_what_is_saved_is_loaded(tmp_path, compression):
    many(mt).save(tmp_path / "new/saved", compression)
    again = Dataset.load(str(tmp_path / "new/saved"))
    assert [plain(e) for e in again.as_numpy_iterator()] == [
        plain(e) for e in many(mt).as_numpy_iterator()
    ]
    if compression is None:
        assert len(again) == 3
    assert again.element_spec[0]["bool"].dtype == mt.bool
    assert again.element_spec[1][1][0].dtype == mt.string
    first = Dataset.load(
        tmp_path / "new/saved", reader_func=lambda d: d.flat_map(lambda x: x.take(1))
    )
    assert len(list(first)) == 1


def test_an_empty_dataset_is_saved(tmp_path):
    Dataset.range(0).save(tmp_path)
    assert list(Dataset.load(tmp_path)) == []


@pytest.mark.parametrize("name", ["cache", "snapshot"])
def test_a_file_holds_what_the_first_whole_pass_gave(name, tmp_path):
    seen = []
    made = lambda: Dataset.range(4).map(lambda n: seen.append(int(n)) or n)  # noqa: E731
    dataset = getattr(made(), name)(str(tmp_path / "kept"))
    assert [int(n) for n in dataset.take(2)] == [0, 1]  # not whole: nothing is kept
    for _ in range(2):
        assert [int(n) for n in dataset] == [0, 1, 2, 3]
    other = getattr(made(), name)(str(tmp_path / "kept"))  # as another run of a program does
    assert [int(n) for n in other] == [0, 1, 2, 3]
    assert seen == [0, 1, 0, 1, 2, 3]
    assert not list(tmp_path.rglob(".*"))


def test_damaged_files_are_clear_errors(tmp_path):
    many(mt).save(tmp_path / "good")
    file = next((tmp_path / "good").iterdir())
    whole = file.read_bytes()
    head = whole.index(b"\n") + 1
    spec = json.loads(whole[:head])
    rng = np.random.default_rng(0)
    damaged = [whole[:cut] for cut in (0, 5, head, head + 1, head + 90, len(whole) - 1)]
    damaged += [b"{}\n", b"[]\n", b"[" * 10**5 + b"\n", b"\x1f\x8bnonsense"]
    damaged += [json.dumps({**spec, "spec": s}).encode() + b"\n+" for s in (1, {"dtype": "x"}, [])]
    for _ in range(100):
        data = bytearray(whole)
        at = int(rng.integers(0, min(len(data), 900)))
        data[at : at + 3] = rng.integers(0, 256, 3, dtype=np.uint8).tobytes()
        damaged.append(bytes(data))
    refused = 0
    for data in damaged:
        file.write_bytes(data)
        try:
            list(Dataset.load(tmp_path / "good"))
        except ValueError as problem:
            refused += str(file) in str(problem) or "dtype" in str(problem)
    assert refused > len(damaged) // 2


def test_a_header_that_promises_much_reserves_nothing(tmp_path):
    Dataset.from_tensors(np.zeros(3, np.uint8)).save(tmp_path)
    file = next(tmp_path.iterdir())
    bomb = file.read_bytes().replace(b"'shape': (3,), ", b"'shape': (9" + b"9" * 3 + b",),")
    assert len(bomb) > 60
    file.write_bytes(bomb)
    with pytest.raises(ValueError, match=r"promise|damaged"):
        list(stored.loaded(Path(file)))


def test_lines_of_text_are_tensorflows(tmp_path, tf):
    (tmp_path / "a").write_bytes(b"a\r\nb\n\nc")
    (tmp_path / "b").write_bytes(b"\n")
    names = [str(tmp_path / n) for n in "ab"]
    for given in (names[0], names):
        ours, theirs = (m.data.TextLineDataset(given) for m in (mt, tf))
        assert [*ours.as_numpy_iterator()] == [*theirs.as_numpy_iterator()]


def test_ignored_errors_are_those_of_data_and_not_of_programs(capsys):
    texts = Dataset.from_tensor_slices(["1", "two", "3"]).map(mt.strings.to_number)
    assert [float(x) for x in texts.ignore_errors(log_warning=True)] == [1, 3]
    assert "two" in capsys.readouterr().err
    with pytest.raises(NameError):
        list(Dataset.range(3).map(lambda n: undefined).ignore_errors())  # noqa: F821


def test_a_dataset_of_known_length_may_be_said_to_have_it():
    said = Dataset.range(6).filter(lambda n: n % 2 == 0)
    assert len(said.apply(mt.data.experimental.assert_cardinality(3))) == 3
    with pytest.raises(ValueError, match="expected to contain 4"):
        list(said.apply(mt.data.experimental.assert_cardinality(4)))
