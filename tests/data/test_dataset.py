"""minitensor.data.Dataset against tf.data where the order is fixed, by its laws where it is not."""

import inspect

import numpy as np
import pytest

import minitensor as mt
from minitensor.backend import generator
from minitensor.data import AUTOTUNE, Dataset

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 3, 3, 1), dtype=np.uint8)
LABELS = np.arange(10)


def slices(data):
    return data.Dataset.from_tensor_slices((IMAGES, LABELS))


def counted():
    yield from ((n, [float(n), 1.0]) for n in range(4))


PIPELINES = {
    "slices of a list of integers": lambda d: d.Dataset.from_tensor_slices([1, 2, 3]),
    "slices of a list of floats": lambda d: d.Dataset.from_tensor_slices([[1.0, 2], [3, 4]]),
    "slices of large integers": lambda d: d.Dataset.from_tensor_slices(np.array([2**40, 1])),
    "slices of a pair": slices,
    "slices of a dictionary": lambda d: d.Dataset.from_tensor_slices({"a": [1], "b": LABELS[:1]}),
    "slices of a nest": lambda d: d.Dataset.from_tensor_slices(({"a": IMAGES}, (LABELS, LABELS))),
    "slices in a tuple of one": lambda d: d.Dataset.from_tensor_slices((LABELS,)),
    "slices of text": lambda d: d.Dataset.from_tensor_slices(["one", "two"]),
    "one tensor": lambda d: d.Dataset.from_tensors([1, 2, 3]),
    "one pair": lambda d: d.Dataset.from_tensors((1.5, LABELS)),
    "range": lambda d: d.Dataset.range(5),
    "range from to": lambda d: d.Dataset.range(2, 5),
    "range backwards": lambda d: d.Dataset.range(9, 1, -3),
    "range that is empty": lambda d: d.Dataset.range(5, 1),
    "map over a pair": lambda d: slices(d).map(lambda x, y: (x / 255, y + 1)),
    "map to a dictionary": lambda d: slices(d).map(lambda x, y: {"image": x, "label": y}),
    "map over a dictionary": lambda d: d.Dataset.from_tensor_slices({"a": [1, 2]}).map(
        lambda e: e["a"] * 2
    ),
    "map over a nest": lambda d: d.Dataset.from_tensor_slices(((LABELS, LABELS), LABELS)).map(
        lambda pair, c: pair[0] + pair[1] * c
    ),
    "map to a list, which is a tuple": lambda d: slices(d).map(lambda x, y: [x, y]),
    "map in parallel": lambda d: slices(d).map(
        lambda x, y: y, num_parallel_calls=AUTOTUNE, deterministic=True
    ),
    "filter": lambda d: slices(d).filter(lambda x, y: y % 3 == 0),
    "batch": lambda d: slices(d).batch(4),
    "batch without the rest": lambda d: slices(d).batch(4, drop_remainder=True),
    "batch of a map": lambda d: slices(d).map(lambda x, y: (x, y * 2)).batch(3),
    "map of a batch": lambda d: slices(d).batch(3).map(lambda x, y: (x, y * 2)),
    "batch of batches": lambda d: d.Dataset.range(12).batch(2).batch(3),
    "batch of dictionaries": lambda d: slices(d).map(lambda x, y: {"y": y}).batch(4),
    "unbatch": lambda d: slices(d).batch(4).unbatch(),
    "unbatch of a map": lambda d: d.Dataset.range(3).map(lambda n: (n, n)).batch(2).unbatch(),
    "repeat": lambda d: slices(d).repeat(2),
    "repeat never": lambda d: slices(d).repeat(0),
    "repeat without end": lambda d: slices(d).repeat().take(23),
    "repeat -1": lambda d: slices(d).repeat(-1).take(11),
    "batch across repeats": lambda d: slices(d).repeat(2).batch(8),
    "take": lambda d: slices(d).take(3),
    "take all": lambda d: slices(d).take(-1),
    "take more": lambda d: slices(d).take(99),
    "skip": lambda d: slices(d).skip(3),
    "skip all": lambda d: slices(d).skip(-1),
    "skip more": lambda d: slices(d).skip(99),
    "prefetch": lambda d: slices(d).prefetch(AUTOTUNE),
    "cache": lambda d: slices(d).cache().repeat(2),
    "concatenate": lambda d: d.Dataset.range(3).concatenate(d.Dataset.range(7, 9)),
    "batch across sources": lambda d: d.Dataset.range(3).concatenate(d.Dataset.range(9)).batch(2),
    "batch across arrays": lambda d: slices(d).concatenate(slices(d)).batch(7),
    "enumerate": lambda d: slices(d).enumerate(start=5),
    "zip": lambda d: d.Dataset.zip((d.Dataset.range(3), slices(d))),
    "zip in arguments": lambda d: d.Dataset.zip(d.Dataset.range(3), slices(d)),
    "zip of a dictionary": lambda d: d.Dataset.zip({"a": d.Dataset.range(3), "b": slices(d)}),
    "batch of a zip": lambda d: d.Dataset.zip((slices(d), d.Dataset.range(9))).batch(4),
    "shuffle with a buffer of one": lambda d: slices(d).shuffle(1),
    "apply": lambda d: slices(d).apply(lambda ds: ds.take(2)),
    "generator with types": lambda d: d.Dataset.from_generator(counted, ("int32", "float32")),
    "generator with a signature": lambda d: d.Dataset.from_generator(
        counted, output_signature=(spec(d, (), "int64"), spec(d, (None,), "float32"))
    ),
    "generator with arguments": lambda d: d.Dataset.from_generator(
        lambda n: (k for k in range(n)), "int32", args=(3,)
    ),
}  # fmt: skip


def spec(data, shape, dtype):
    if data is mt.data:
        return mt.TensorSpec(shape, dtype)
    import tensorflow

    return tensorflow.TensorSpec(shape, dtype)


def plain(element):
    """An element as (path, type, values), whatever library it comes from."""
    if isinstance(element, dict):
        return {key: plain(item) for key, item in element.items()}
    if isinstance(element, tuple):
        return tuple(plain(item) for item in element)
    value = np.asarray(element)
    return str(value.dtype), value.shape, value.tolist()


@pytest.mark.parametrize("name", PIPELINES)
def test_elements_and_their_number_are_tensorflows(name, tf):
    ours, theirs = PIPELINES[name](mt.data), PIPELINES[name](tf.data)
    found = [plain(element) for element in ours.as_numpy_iterator()]
    assert found == [plain(element) for element in theirs.as_numpy_iterator()]
    assert ours.cardinality().numpy() == theirs.cardinality().numpy()


@pytest.mark.parametrize("name", [n for n in PIPELINES if "empty" not in n])
def test_element_specs_are_tensorflows(name, tf):
    def words(found):
        if isinstance(found, dict):
            return {key: words(item) for key, item in found.items()}
        if isinstance(found, tuple):
            return tuple(words(item) for item in found)
        kind = str(getattr(found.dtype, "name", found.dtype))
        return "string" if kind.startswith("str") else kind

    ours, theirs = (PIPELINES[name](data).element_spec for data in (mt.data, tf.data))
    assert words(ours) == words(theirs)
    for found, expected in zip(tf.nest.flatten(ours), tf.nest.flatten(theirs), strict=True):
        # Ours looks at the first element where TensorFlow traces: more may be known.
        assert found.shape is None or expected.shape.is_compatible_with(list(found.shape))


def test_elements_are_tensors_of_the_types_tensorflow_gives():
    x, y = next(iter(slices(mt.data)))
    assert isinstance(x, mt.Tensor)
    assert (x.dtype, y.dtype, x.shape, y.shape) == (mt.uint8, mt.int64, [3, 3, 1], [])


METHODS = [
    *("from_tensor_slices", "from_tensors", "from_generator", "range", "zip", "map", "filter"),
    *("batch", "unbatch", "shuffle", "repeat", "take", "skip", "prefetch", "cache", "concatenate"),
    *("enumerate", "cardinality", "apply", "as_numpy_iterator"),
]


@pytest.mark.parametrize("name", METHODS)
def test_signatures_are_tensorflows(name, tf):
    def words(owner):
        parameters = inspect.signature(getattr(owner, name)).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters]

    assert words(Dataset) == words(tf.data.Dataset)


# ----- order and chance -----


def order(dataset):
    return [int(n) for n in dataset.as_numpy_iterator()]


def test_a_shuffle_is_a_permutation():
    assert sorted(order(Dataset.range(100).shuffle(30))) == list(range(100))


@pytest.mark.parametrize("size", [2, 7, 50])
def test_no_element_comes_before_the_buffer_reached_it(size):
    positions = order(Dataset.range(200).shuffle(size, seed=1))
    assert all(element <= position + size - 1 for position, element in enumerate(positions))
    assert any(element == position + size - 1 for position, element in enumerate(positions))


def test_the_first_element_is_any_of_the_buffer_alike():
    firsts = [next(iter(Dataset.range(9).shuffle(3))).numpy() for _ in range(600)]
    counts = np.bincount(firsts)
    assert len(counts) == 3
    assert counts.min() > 150


def test_each_iteration_has_another_order_and_repetitions_too():
    dataset = Dataset.range(50).shuffle(50)
    assert order(dataset) != order(dataset)
    twice = order(dataset.repeat(2))
    assert twice[:50] != twice[50:]
    assert sorted(twice[:50]) == list(range(50))


def test_a_seed_repeats_the_orders_of_all_iterations():
    one, other = (Dataset.range(50).shuffle(50, seed=4) for _ in range(2))
    first, second = order(one), order(one)
    assert first != second
    assert [order(other), order(other)] == [first, second]
    twice = order(Dataset.range(50).shuffle(50, seed=4).repeat(2))
    assert twice[:50] == first
    assert twice[50:] != first


@pytest.mark.parametrize("seed", [None, 3])
def test_without_reshuffling_every_iteration_has_the_same_order(seed):
    dataset = Dataset.range(50).shuffle(50, seed, reshuffle_each_iteration=False)
    first = order(dataset)
    assert first != list(range(50))
    assert order(dataset) == first
    assert order(dataset.repeat(2)) == first * 2


def test_the_global_seed_repeats_a_program():
    def program():
        mt.random.set_seed(7)
        noisy = Dataset.range(20).shuffle(20).map(lambda n: mt.random.uniform([]) + 0)
        return [float(x) for x in noisy] + order(Dataset.range(20).shuffle(5))

    assert program() == program()


def test_an_epoch_is_the_same_again_from_the_generators_state():
    mt.random.set_seed(1)
    dataset = Dataset.range(30).shuffle(30).batch(4)
    list(dataset)
    saved = generator.state()
    epoch = [x.numpy().tolist() for x in dataset]
    generator.restore(saved)
    assert [x.numpy().tolist() for x in dataset] == epoch


def test_an_iteration_draws_one_number_from_the_shared_generator():
    mt.random.set_seed(1)
    iter(Dataset.range(3))
    after = generator.state()
    mt.random.set_seed(1)
    list(Dataset.range(300).shuffle(300).map(lambda n: mt.random.normal([2])))
    assert generator.state() == after


def test_rewinding_takes_a_seeded_shuffle_to_a_later_epoch():
    dataset = Dataset.range(30).shuffle(30, seed=2)
    epochs = [order(dataset) for _ in range(3)]
    resumed = Dataset.range(30).shuffle(30, seed=2)
    resumed.rewind(2)
    assert order(resumed) == epochs[2]


# ----- laziness and memory -----


def test_arrays_that_nobody_can_write_into_are_not_copied():
    one = np.zeros(1, np.uint8)
    one.flags.writeable = False
    lazy = np.broadcast_to(one, (10**7, 1000, 1000))  # 10 TB if it were
    dataset = Dataset.from_tensor_slices(lazy).shuffle(100).batch(2)
    assert next(iter(dataset)).shape == [2, 1000, 1000]


def test_elements_do_not_change_with_the_array_they_came_from():
    source = np.zeros((4, 2))
    single = next(iter(Dataset.from_tensor_slices(source)))
    batch = next(iter(Dataset.from_tensor_slices(source).batch(2)))
    source[:] = 1
    assert single.numpy().sum() == batch.numpy().sum() == 0


def test_nothing_runs_before_it_is_asked_for():
    seen = []
    dataset = Dataset.range(5).map(lambda n: seen.append(int(n)) or n)
    iterators = iter(dataset), iter(dataset.prefetch(3))
    assert seen == []
    next(iterators[0])
    assert seen == [0]


def test_a_cache_computes_once_and_only_a_whole_iteration_fills_it():
    seen = []
    dataset = Dataset.range(3).map(lambda n: seen.append(int(n)) or n).cache()
    next(iter(dataset))
    for _ in range(3):
        assert order(dataset) == [0, 1, 2]
    assert seen == [0, 0, 1, 2]


def test_random_maps_draw_anew_in_each_iteration():
    dataset = Dataset.range(3).map(lambda n: mt.random.uniform([]))
    assert [float(x) for x in dataset] != [float(x) for x in dataset]


def test_elements_lie_on_the_device_of_the_block_around_the_loop(require_emulator):
    dataset = Dataset.from_tensor_slices(np.ones((4, 2), np.float32)).map(lambda x: x + 1).batch(2)
    with mt.device("/EMULATOR:0"):
        x = next(iter(dataset))
    assert "EMULATOR" in x.device
    assert x.numpy().tolist() == [[2, 2], [2, 2]]


@pytest.fixture
def require_emulator():
    from minitensor.backend import devices

    if lack := devices.lack_of("EMULATOR"):
        pytest.skip(lack)


def test_iterators_have_get_next():
    iterator = iter(Dataset.range(2))
    assert [int(iterator.get_next()), int(next(iterator))] == [0, 1]
    with pytest.raises(mt.errors.OutOfRangeError):
        iterator.get_next()


def test_a_dataset_tells_what_it_is():
    text = repr(Dataset.range(10).shuffle(3).batch(4))
    assert text == "<minitensor.data.Dataset: batch of shuffle of range, 3 elements>"
    assert "without end" in repr(Dataset.range(10).repeat())


# ----- errors -----

ERRORS = {
    "must have the same length": lambda: Dataset.from_tensor_slices((IMAGES, LABELS[:3])),
    "rank >= 1": lambda: Dataset.from_tensor_slices(5),
    "should not be empty": lambda: Dataset.from_tensor_slices(()),
    "buffer_size must be at least 1": lambda: Dataset.range(3).shuffle(0),
    "batch_size must be at least 1": lambda: Dataset.range(3).batch(0),
    "different shapes": lambda: list(
        Dataset.from_generator(lambda: ([0] * n for n in (2, 3))).batch(2)
    ),
    "yielded an element": lambda: list(
        Dataset.from_generator(lambda: [[1, 2]], output_signature=mt.TensorSpec([3], "int32"))
    ),
    "does not match the expected structure": lambda: list(
        Dataset.from_generator(lambda: [1], ("int32", "int32"))
    ),
    "must return a `tf.bool` scalar": lambda: list(Dataset.range(3).filter(lambda n: [True, True])),
}
TYPE_ERRORS = {
    "dataset length is unknown": lambda: len(Dataset.from_generator(lambda: [1])),
    "dataset is infinite": lambda: len(Dataset.range(3).repeat()),
    "must be a Python callable": lambda: Dataset.from_generator([1, 2]),
    "expected datasets": lambda: Dataset.zip((Dataset.range(3), [1, 2])),
    "expected a Dataset": lambda: Dataset.range(3).concatenate([1]),
    "must return a `tf.data.Dataset`": lambda: Dataset.range(3).apply(lambda d: 5),
    "map_func must be": lambda: Dataset.range(3).map(5),
    "returned None": lambda: list(Dataset.range(3).map(lambda n: None)),
    "elements of type object": lambda: Dataset.from_tensor_slices(np.array([None, 1])),
}


@pytest.mark.parametrize("words", ERRORS)
def test_illegal_values_are_value_errors(words):
    with pytest.raises(ValueError, match=words):
        ERRORS[words]()


@pytest.mark.parametrize("words", TYPE_ERRORS)
def test_wrong_kinds_are_type_errors(words):
    with pytest.raises(TypeError, match=words):
        TYPE_ERRORS[words]()


@pytest.mark.parametrize("step", ["take", "cache", "shuffle"])
def test_a_dataset_does_not_see_what_the_caller_writes_later(tf, step):
    seen = []
    for library in (mt, tf):
        x, names = np.arange(6.0).reshape(3, 2), np.array(["a", "b", "c"])
        data, sizes = library.data.Dataset, [] if step == "cache" else [3]
        sliced = data.from_tensor_slices({"x": x, "names": (names, x[:, 0])})
        steps = [getattr(d, step)(*sizes) for d in (sliced, data.from_tensors(x))]
        x[...], names[...] = 99, "z"
        rows, (whole,) = (list(d.as_numpy_iterator()) for d in steps)
        found = sorted((*row["x"], bytes(row["names"][0]), row["names"][1]) for row in rows)
        seen.append((found, whole.tolist()))
    rows = [(0, 1, b"a", 0), (2, 3, b"b", 2), (4, 5, b"c", 4)]
    assert seen == [(rows, [[0, 1], [2, 3], [4, 5]])] * 2


def test_datasets_of_two_types_are_not_concatenated(tf):
    for library in (mt, tf):
        data = library.data.Dataset
        for other in (data.from_tensors([1.0]).unbatch(), data.from_tensors((1, 2))):
            with pytest.raises(TypeError, match="type"):
                list(data.range(2).concatenate(other))
