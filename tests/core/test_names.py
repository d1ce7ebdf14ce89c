"""Small modules of TensorFlow that programs name: each says and does what TensorFlow's does."""

import copy
import inspect
import os
import pickle

import numpy as np
import pytest
from side_by_side import described, find

import minitensor as mt

PLACES = (
    "distribute",
    "distribute.experimental",
    "errors",
    "io.gfile",
    "keras.tree",
    "summary",
    "summary.experimental",
    "test",
    "version",
)


PYTHONS = ("ValueError", "TypeError", "RuntimeError", "KeyError", "IndexError")


def public(thing):
    return [n for n in getattr(thing, "__all__", vars(thing)) if n[0] != "_"]


def outcome(action):
    """What it gives, or what kind of error; an error of tf.errors by its name there."""
    try:
        value = action()
    except Exception as problem:
        kinds = [cls.__name__ for cls in type(problem).__mro__]
        if "InvalidArgumentError" in kinds:
            return "ValueError"  # ours is both, so that a program may catch either
        special = [kind for kind in kinds if hasattr(mt.errors, kind) and kind != "OpError"]
        return special[0] if special else next(k for k in kinds if k in PYTHONS)
    value = value.numpy() if hasattr(value, "numpy") else value
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


@pytest.mark.parametrize("place", PLACES)
def test_names_arguments_and_defaults_are_tensorflows(tf, place):
    ours, theirs = find(mt, place), find(tf, place)
    for name in public(ours):
        mine, other = getattr(ours, name), getattr(theirs, name)
        if inspect.isfunction(mine):
            assert described(mine) == described(other), name
    for name in ("TensorArray", "name_scope", "Module", "keras.Function"):
        assert described(find(mt, name)) == described(find(tf, name)), name
    for method in ("write", "read", "stack", "concat", "gather", "scatter", "split", "unstack"):
        mine, other = getattr(mt.TensorArray, method), getattr(tf.TensorArray, method)
        assert described(mine) == described(other), method


def test_errors_are_tensorflows_and_pythons(tf):
    for name in mt.errors.__all__:
        ours, theirs = getattr(mt.errors, name), getattr(tf.errors, name)
        arguments = (None, None, "words") + ((2,) if name == "OpError" else ())
        mine, other = ours(*arguments), theirs(*arguments)
        for attribute in ("message", "error_code", "op", "node_def"):
            assert getattr(mine, attribute) == getattr(other, attribute), (name, attribute)
        assert str(mine) == str(other) == "words"
        assert issubclass(ours, mt.errors.OpError)
    assert mt.errors.NotFoundError("a file").message == "a file"


TYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16"]
TYPES += ["uint32", "uint64", "bool", "bfloat16"]


@pytest.mark.parametrize("name", TYPES)
def test_element_types_know_what_tensorflows_know(tf, name):
    ours, theirs = getattr(mt, name), getattr(tf, name)
    for attribute in ("max", "min", "size", "name", "is_floating", "is_integer", "is_unsigned",
                      "is_bool", "is_complex", "as_numpy_dtype"):  # fmt: skip
        mine = outcome(lambda a=attribute: getattr(ours, a))
        other = outcome(lambda a=attribute: getattr(theirs, a))
        assert mine == other, attribute
        assert type(mine) is type(other), attribute
    assert repr(ours) == repr(theirs)
    assert str(ours) == str(theirs)
    assert ours.base_dtype == ours == mt.as_dtype(name)
    for other in TYPES:
        assert (ours == getattr(mt, other)) == (name == other)
        assert ours.is_compatible_with(other) == (name == other)


def test_a_tensors_type_is_numpys_too():
    for value in (mt.ones([2]), mt.Variable([1.0]), mt.keras.layers.Dense(2).dtype):
        assert mt.as_dtype(getattr(value, "dtype", value)) is mt.float32
    dtype = mt.ones([2]).dtype
    assert dtype is mt.float32
    assert dtype == np.float32 == dtype
    assert np.dtype("float32") == dtype != np.dtype("float64") != dtype
    assert (dtype == None) is False  # noqa: E711
    assert {np.dtype("float32"): 1}[dtype] == 1
    assert np.zeros(2, dtype).dtype == np.asarray([1], dtype=dtype).dtype == np.float32
    assert np.finfo(dtype).eps == np.finfo(np.float32).eps
    assert pickle.loads(pickle.dumps(dtype)) is copy.deepcopy(dtype) is dtype
    assert (f"{dtype}", dtype.kind, dtype.itemsize) == ("float32", "f", 4)


# ----- TensorArray -----

STORIES = [  # of a list `a`; each step's outcome is compared
    ("tf.TensorArray(tf.int32, 3)",
     ["a.write(1, 5).size()", "a.stack()", "a.read(1)", "a.read(1)"]),
    ("tf.TensorArray(tf.float32, 2)",
     ["a.write(2, 1.0)", "a.write(-1, 1.0)", "a.read(2)", "a.read(0)"]),
    ("tf.TensorArray(tf.float32, 0, dynamic_size=True)",
     ["a.write(2, [1.0, 2.0]).stack()", "a.concat()", "a.gather([2, 0])",
      "a.write(0, [1.0]) and 0"]),
    ("tf.TensorArray(tf.float32, 2, clear_after_read=False)",
     ["a.write(0, 3.0).read(0)", "a.read(0)", "a.write(1, 1) and a.stack()"]),
    ("tf.TensorArray(tf.float32, 2, infer_shape=False)",
     ["a.write(0, [3.0]).write(1, [1.0, 2.0]).concat()", "a.read(1)"]),
    ("tf.TensorArray(tf.float32, 0, element_shape=[2])", ["a.stack()", "a.size()"]),
    ("tf.TensorArray(tf.int32, 3)", ["a.unstack([7, 8, 9]).stack()", "a.gather([1, 1])"]),
    ("tf.TensorArray(tf.int32, 3)", ["a.scatter([2, 0], [7, 8]).stack()"]),
    ("tf.TensorArray(tf.int32, 2)", ["a.split([7, 8, 9], [1, 2]).concat()"]),
    ("tf.TensorArray(tf.int32, 1)", ["a.write(0, tf.constant(1.5)) and 0", "a.read(0)"]),
]  # fmt: skip


@pytest.mark.parametrize(("make", "steps"), STORIES)
def test_a_tensor_array_tells_the_same_story(tf, make, steps):
    def told(library):
        names = {"tf": library}
        names["a"] = eval(make, names)
        return [outcome(lambda step=step: eval(step, names)) for step in steps]

    assert told(mt) == told(tf)


# ----- files -----


def test_gfile_tells_the_same_story(tf, tmp_path):
    def told(library):
        gfile, root = library.io.gfile, str(tmp_path / library.__name__)
        join = gfile.join
        steps = [
            lambda: gfile.makedirs(join(root, "a", "b")),
            lambda: gfile.makedirs(join(root, "a")),
            lambda: gfile.mkdir(join(root, "a")),
            lambda: gfile.GFile(join(root, "nothing")).read(),
            lambda: gfile.GFile(join(root, "nothing"), "rb").read(),
            lambda: write(gfile, join(root, "t"), "w", "one\ntwo\n"),
            lambda: write(gfile, join(root, "t"), "a", "three"),
            lambda: gfile.GFile(join(root, "t")).read(),
            lambda: gfile.GFile(join(root, "t"), "rb").read(3),
            lambda: list(gfile.GFile(join(root, "t"))),
            lambda: gfile.GFile(join(root, "t")).readlines(),
            lambda: gfile.GFile(join(root, "t")).size(),
            lambda: gfile.copy(join(root, "t"), join(root, "u")),
            lambda: gfile.copy(join(root, "t"), join(root, "u")),
            lambda: gfile.copy(join(root, "t"), join(root, "u"), overwrite=True),
            lambda: gfile.rename(join(root, "u"), join(root, "a", "v")),
            lambda: gfile.rename(join(root, "u"), join(root, "w")),
            lambda: sorted(gfile.listdir(root)),
            lambda: gfile.listdir(join(root, "nothing")),
            lambda: sorted(os.path.relpath(p, root) for p in gfile.glob(join(root, "*"))),
            lambda: (gfile.exists(root), gfile.exists(join(root, "x")), gfile.isdir(root)),
            lambda: (gfile.stat(join(root, "t")).length, gfile.stat(root).is_directory),
            lambda: gfile.stat(join(root, "nothing")).length,
            lambda: sorted((os.path.relpath(d, root), sorted(i), sorted(f))
                           for d, i, f in gfile.walk(root)),
            lambda: gfile.remove(join(root, "nothing")),
            lambda: gfile.remove(join(root, "t")),
            lambda: gfile.rmtree(join(root, "a")),
            lambda: gfile.listdir(root),
        ]  # fmt: skip
        return [outcome(step) for step in steps]

    def write(gfile, path, mode, text):
        with gfile.GFile(path, mode) as file:
            file.write(text)

    assert told(mt) == told(tf)


# ----- modules and names -----


def test_modules_have_the_names_and_the_order_of_tensorflows(tf):
    def told(library):
        class DenseUnit(library.Module):
            def __init__(self, name=None):
                super().__init__(name=name)
                with self.name_scope:
                    self.w = library.Variable(1.0, name="w")
                    self.b = library.Variable(0.0, trainable=False, name="b")

            @library.Module.with_name_scope
            def late(self):
                self.z = library.Variable(0.0, name="z")
                return self.z.name

        class HTTPNet(library.Module):
            def __init__(self):
                super().__init__()
                self.units = {"b": [DenseUnit("one")], "a": (DenseUnit(), library.Variable(3.0))}
                self.again = self.units["a"][0]
                self.step = library.Variable(0, name="step")

        net = HTTPNet()
        late = net.again.late()
        with library.name_scope("outer"), library.name_scope("inner") as inside:
            name = library.Variable(0.0, name="w").name
            with library.name_scope("whole/"):
                other = library.Variable(0.0, name="w").name
            with library.name_scope(""):
                bare = library.Variable(0.0, name="w").name
        return [
            net.name, late, inside, name, other, bare, [v.name for v in net.variables],
            [v.name for v in net.trainable_variables],
            [v.name for v in net.non_trainable_variables],
            [m.name for m in net.submodules], outcome(lambda: library.Module("no name")),
        ]  # fmt: skip

    assert told(mt) == told(tf)


def test_layers_inside_of_modules_are_found():
    """Of Keras 3's layers TensorFlow's Module does not know."""

    class Net(mt.Module):
        def __init__(self):
            super().__init__()
            self.layers = [mt.keras.layers.Dense(2), mt.keras.layers.Dense(1, use_bias=False)]

    net = Net()
    for layer in net.layers:
        layer.build((None, 2))
    assert [tuple(v.shape) for v in net.trainable_variables] == [(2, 2), (2,), (2, 1)]


def test_shapes_that_are_asked_for(tf):
    for shape in ([None, 2], [2, None], None, [2, 2], [3, 2], [2], [2, 2, 1]):
        for action in ("tf.ensure_shape(x, shape)", "x.set_shape(shape)"):
            if shape is None and "set" in action:
                continue

            def told(library, action=action, shape=shape):
                x = library.constant([[1, 2], [3, 4]])
                return outcome(lambda: eval(action, {"tf": library, "x": x, "shape": shape}))

            assert told(mt) == told(tf)


def test_the_small_ones(tf):
    assert mt.version.VERSION == tf.version.VERSION
    assert mt.executing_eagerly() is tf.executing_eagerly() is True
    assert abs(float(mt.timestamp()) - float(tf.timestamp())) < 60
    assert mt.timestamp().dtype == mt.float64
    assert mt.test.is_gpu_available() == bool(mt.config.list_physical_devices("GPU"))
    for library in (mt, tf):
        numbers = iter(library.data.Dataset.range(2))
        assert [int(numbers.next()), int(numbers.get_next())] == [0, 1]
        with pytest.raises(library.errors.OutOfRangeError, match="End of sequence"):
            numbers.get_next()
        with pytest.raises(StopIteration):
            numbers.next()
        twice = library.function(lambda x: 2 * x)
        concrete = twice.get_concrete_function(library.TensorSpec([None], "float32"))
        assert concrete(library.constant([1.5])).numpy().tolist() == [3.0]


# ----- keras.tree and keras.Function -----


def structures():
    from collections import OrderedDict, defaultdict, namedtuple

    point = namedtuple("point", "y x")
    more = defaultdict(list, {"q": [1], "p": 2})
    return [
        1, None, [], (), {}, [1, [2, (3, None)]], {"b": 1, "a": [2, {"c": 3}]}, point([1], (2, 3)),
        OrderedDict([("z", 1), ("a", [2])]), more, [(1, None), {"k": None}], {2: "x", 1: "y"}, "ab",
        ([1, 2], [None, 4]), [[1, 2], {"a": (3, 4)}],
    ]  # fmt: skip


def test_trees_are_those_of_keras(tf):
    def told(tree):
        found = []
        for s in structures():
            for action in (
                tree.flatten, tree.flatten_with_path, tree.is_nested, tree.lists_to_tuples,
                lambda s: tree.map_structure(lambda x: [x], s),
                lambda s: tree.map_structure(lambda x: [x], s, none_is_leaf=False),
                lambda s: tree.map_shape_structure(lambda x: ("shape", x), s),
                lambda s: tree.pack_sequence_as(s, list("abcdefg")[: len(tree.flatten(s))]),
                lambda s: tree.pack_sequence_as(s, [1, 2]),
                lambda s: tree.traverse(lambda x: 0 if isinstance(x, tuple) else None, s),
                lambda s: tree.traverse(lambda x: -x if isinstance(x, int) else None, s, False),
                lambda s: tree.traverse(lambda x: tree.MAP_TO_NONE if x == 2 else None, s),
            ):  # fmt: skip
                found.append(repr(outcome(lambda a=action, s=s: a(s))))
            for other in structures():
                for action in (
                    tree.assert_same_structure, tree.assert_same_paths,
                    lambda a, b: tree.map_structure(lambda x, y: (x, y), a, b),
                    lambda a, b: tree.map_structure_up_to(a, lambda x, y: (x, y), a, b)
                    if "None" not in repr(a) else 0,  # Keras' optree looks into None as a container
                ):  # fmt: skip
                    said = repr(outcome(lambda f=action, s=s, o=other: f(s, o)))
                    found.append((repr(s), repr(other), said))
        return found

    ours, theirs = told(mt.keras.tree), told(tf.keras.tree)
    assert [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]] == []


def test_a_function_of_symbolic_tensors_is_that_of_keras(tf):
    def told(library):
        keras = library.keras
        x = keras.Input((2,))
        middle = keras.layers.ReLU()(x)
        y = keras.layers.Rescaling(2.0)(middle)
        z = keras.layers.Rescaling(3.0)(y)
        whole, part = keras.Function(x, [y, z], name="f"), keras.Function({"m": middle}, z)
        data = np.array([[1.0, -2.0]], "float32")
        return [
            whole.name, [v.numpy().tolist() for v in whole(data)],
            part({"m": data}).numpy().tolist(),
            len(whole.inputs), len(whole.outputs), [type(o).__name__ for o in whole.operations],
            whole.compute_output_shape((None, 2)),
        ]  # fmt: skip

    assert told(mt) == told(tf)


# ----- summaries -----


def events(folder):
    """All that stands in the event files of a folder: (step, tag, plugin, description, value)."""
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
    from tensorboard.util import tensor_util

    found = []
    for path in sorted(folder.iterdir()):
        for event in LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                array = tensor_util.make_ndarray(value.tensor)
                data = value.metadata
                found.append((event.step, value.tag, data.plugin_data.plugin_name,
                              data.summary_description, array.tolist()))  # fmt: skip
    return found


def test_summaries_are_those_of_tensorflow(tf, tmp_path):
    image = np.random.default_rng(0).random((4, 3, 2, 3), dtype="float32") * 1.2

    def told(library):
        summary, folder = library.summary, tmp_path / library.__name__
        told = [bool(summary.scalar("nobody", 1.0, step=0)), summary.should_record_summaries()]
        writer = summary.create_file_writer(str(folder))
        step = library.Variable(7, dtype="int64")
        with writer.as_default():
            told.append(bool(summary.scalar("loss", 0.5, step=3, description="words")))
            told.append(outcome(lambda: summary.scalar("loss", 0.5)))
            told.append(outcome(lambda: bool(summary.scalar("loss", [0.5], step=0))))
            told.append(outcome(lambda: bool(summary.image("i", image[0], step=0))))
            summary.experimental.set_step(step)
            with library.name_scope("outer"):
                summary.scalar("accuracy", library.constant(2.0))
            step.assign_add(1)
            summary.histogram("h", [1.0, 2.0, 2.5], buckets=4)
            summary.histogram("nothing", library.zeros([0]))
            summary.text("t", "some *words*")
            summary.text("many", library.constant(["a", "b"]) if library is tf else ["a", "b"])
            with summary.record_if(False):
                told.append(bool(summary.scalar("not", 1.0)))
            with summary.record_if(lambda: True), writer.as_default(step=100):
                told.append(bool(summary.scalar("yes", 1, description=None)))
            with summary.create_noop_writer().as_default():
                summary.scalar("not", 1.0)
            told.append(int(summary.experimental.get_step()))
        summary.experimental.set_step(None)
        with writer.as_default(9):
            summary.image("bytes", np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3))
        writer.flush()
        summary.flush(writer)
        writer.close()
        told.append(outcome(lambda: writer.as_default().__enter__()))
        return told, events(folder)

    ours, theirs = told(mt), told(tf)
    assert ours[0] == theirs[0]
    assert [e[:4] for e in ours[1]] == [e[:4] for e in theirs[1]]
    for mine, other in zip(ours[1], theirs[1], strict=True):
        if mine[2] != "images":  # other libraries pack the same pixels into other bytes
            assert mine[4] == other[4], mine[1]


def test_images_of_summaries_hold_the_same_pixels(tf, tmp_path):
    image = np.random.default_rng(0).random((4, 3, 2, 3), dtype="float32") * 1.2
    found = []
    for library in (mt, tf):
        folder = tmp_path / library.__name__
        with library.summary.create_file_writer(str(folder)).as_default(0):
            library.summary.image("i", image, max_outputs=2)
        ((width, height, *pictures),) = (event[4] for event in events(folder))
        found.append((width, height, [tf.io.decode_png(p).numpy().tolist() for p in pictures]))
    assert found[0] == found[1]


# ----- what `except tf.errors.InvalidArgumentError` catches -----

REFUSED = [
    "tf.matmul(tf.ones([2, 3]), tf.ones([2, 3]))", "tf.reshape(tf.ones([4]), [3])",
    "tf.ones([2]) + tf.ones([3])", "tf.concat([tf.ones([2, 2]), tf.ones([3, 3])], 0)",
    "tf.stack([tf.ones([2]), tf.ones([3])])", "tf.constant(1) + tf.constant(1.5)",
    "tf.broadcast_to(tf.ones([2]), [3])", "tf.split(tf.ones([5]), 2)",
    "tf.squeeze(tf.ones([2]), 0)",
    "tf.transpose(tf.ones([2, 2]), [0, 0])", "tf.expand_dims(tf.ones([2]), 5)",
    "tf.tile(tf.ones([2]), [1, 2])", "tf.reduce_sum(tf.ones([2]), 4)",
]  # fmt: skip


@pytest.mark.parametrize("call", REFUSED)
def test_what_tensorflow_refuses_as_an_argument_is_refused_so(tf, call):
    with pytest.raises(tf.errors.InvalidArgumentError):
        eval(call, {"tf": tf})
    with pytest.raises(mt.errors.InvalidArgumentError):
        eval(call, {"tf": mt})
    with pytest.raises((ValueError, TypeError)):
        eval(call, {"tf": mt})
