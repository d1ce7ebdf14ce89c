"""tf.train: TensorFlow reads what we write, we what TensorFlow writes, and both restore alike."""

import inspect
import os
import struct
from pathlib import Path

import numpy as np
import pytest

import minitensor as mt
from minitensor.io.crc32c import crc32c, masked
from minitensor.io.wire import field, fields, read_varint, varint
from minitensor.train.bundle import write_bundle
from minitensor.train.object_graph import KEY, Node, read_graph, written
from minitensor.train.sorted_table import read_table, table


def numbers(variables):
    return [np.asarray(v.numpy()) for v in variables]


def drawn(variables, seed=1):
    """Gives variables numbers that tell them apart."""
    draw = np.random.default_rng(seed)
    for v in variables:
        v.assign(draw.integers(1, 99, tuple(v.shape)).astype(np.asarray(v.numpy()).dtype))


def both_ways(tf, make, folder):
    """`make(library)` gives (objects, variables): each side's checkpoint, restored by the other."""
    for number, (writer, reader) in enumerate([(tf, mt), (mt, tf)]):
        objects, variables = make(writer)
        drawn(v for v in variables if v.dtype != bool)
        path = writer.train.Checkpoint(**objects).save(str(folder / f"{number}" / "ckpt"))
        others, found = make(reader)
        status = reader.train.Checkpoint(**others).restore(path)
        status.assert_existing_objects_matched().assert_consumed()
        assert len(variables) == len(found) > 0
        for a, b in zip(numbers(variables), numbers(found), strict=True):
            np.testing.assert_array_equal(a, b)


# ----- what is saved -----


def test_variables_of_every_type_in_lists_tuples_and_dictionaries(tf, tmp_path):
    kinds = [f"float{bits}" for bits in (16, 32, 64)]
    kinds += [f"{stem}{bits}" for stem in ("int", "uint") for bits in (8, 16, 32, 64)]

    def make(library):
        each = {kind: library.Variable(np.zeros((2, 3), kind)) for kind in kinds}
        rest = [library.Variable(0.0), (library.Variable(np.zeros((0, 2), "float32")),)]
        flag = library.Variable([True, False])
        odd = {"a/b": library.Variable(1), "c.d": library.Variable([2])}
        objects = {"each": each, "rest": rest, "flag": flag, "odd": odd}
        return objects, [*each.values(), rest[0], rest[1][0], flag, *odd.values()]

    both_ways(tf, make, tmp_path)


OPTIMIZERS = {
    "SGD": [{}, {"momentum": 0.9}, {"use_ema": True}, {"gradient_accumulation_steps": 2}],
    "RMSprop": [{}, {"momentum": 0.9, "centered": True}],
    "Adam": [{}, {"amsgrad": True, "use_ema": True}],
    **{name: [{}] for name in ("AdamW", "Adamax", "Nadam", "Adagrad", "Adadelta", "Lion")},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_of_an_optimizer(tf, name, tmp_path):
    for i, settings in enumerate(OPTIMIZERS[name]):

        def make(library, settings=settings):
            optimizer = getattr(library.keras.optimizers, name)(0.1, **settings)
            weights = [library.Variable([1.0, 2.0]), library.Variable([[3.0]])]
            optimizer.build(weights)
            return {"opt": optimizer, "weights": weights}, [*optimizer.variables, *weights]

        both_ways(tf, make, tmp_path / str(i))


LAYERS = {  # a layer with weights, and the shape of an input
    "Dense": ((3,), (2, 4)),
    "Conv1D": ((3, 2), (2, 8, 3)),
    "Conv2D": ((3, 2), (2, 8, 8, 3)),
    "Conv3D": ((3, 2), (2, 4, 4, 4, 3)),
    "Conv1DTranspose": ((3, 2), (2, 8, 3)),
    "Conv2DTranspose": ((3, 2), (2, 8, 8, 3)),
    "Conv3DTranspose": ((3, 2), (2, 4, 4, 4, 3)),
    "DepthwiseConv1D": ((2,), (2, 8, 3)),
    "DepthwiseConv2D": ((2,), (2, 8, 8, 3)),
    "SeparableConv1D": ((3, 2), (2, 8, 3)),
    "SeparableConv2D": ((3, 2), (2, 8, 8, 3)),
    "BatchNormalization": ((), (2, 8, 8, 3)),
    "LayerNormalization": ((), (2, 3)),
    "GroupNormalization": ((1,), (2, 8, 8, 3)),
    "PReLU": ((), (2, 3)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_weights_of_a_layer(tf, name, tmp_path):
    arguments, shape = LAYERS[name]

    def make(library):
        layer = getattr(library.keras.layers, name)(*arguments)
        layer.build(shape)
        return {"layer": layer}, layer.weights

    both_ways(tf, make, tmp_path)


def sequential(library):
    keras = library.keras
    layers = [keras.layers.Conv2D(2, 3), keras.layers.BatchNormalization(), keras.layers.Flatten()]
    layers += [keras.layers.Dropout(0.5), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((6, 6, 1)), *layers])


def functional(library):
    keras = library.keras
    x = keras.Input((6, 6, 1))
    inner = sequential(library)
    return keras.Model(x, keras.layers.Dense(2)(inner(x) + keras.layers.Dense(3)(inner(x))))


def subclass(library):
    layers = library.keras.layers

    class Net(library.keras.Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Conv2D(2, 3)
            self.rest = library.keras.Sequential([layers.Flatten(), layers.Dense(3)])
            self.pair = (layers.Dense(4), layers.Dense(2))

        def call(self, x):
            x = self.rest(self.first(x))
            for layer in self.pair:
                x = layer(x)
            return x

    return Net()


@pytest.mark.parametrize("kind", [sequential, functional, subclass])
@pytest.mark.parametrize("as_root", [False, True])
def test_a_model_and_its_optimizer(tf, kind, as_root, tmp_path):
    def make(library):
        model = kind(library)
        model(np.ones((1, 6, 6, 1), "float32"))
        optimizer = library.keras.optimizers.Adam()
        if as_root:
            model.compile(optimizer, "mse")
        optimizer.build(model.trainable_variables)
        objects = {"root": model} if as_root else {"model": model, "optimizer": optimizer}
        return objects, [*model.weights, *optimizer.variables]

    both_ways(tf, make, tmp_path)


def test_a_module(tf, tmp_path):
    def make(library):
        class Dense(library.Module):
            def __init__(self):
                super().__init__()
                self.w = library.Variable([[1.0, 2.0]])
                self.parts = [library.Variable(1.0), {"a": library.Variable(2.0)}]

        class Net(library.Module):
            def __init__(self):
                super().__init__(name="net")
                self.b, self.a = Dense(), Dense()

        net = Net()
        return {"net": net}, net.variables

    both_ways(tf, make, tmp_path)


def test_lists_of_layers_that_keras_3_leaves_out_are_kept(tmp_path):
    """Keras 3 tracks no plain list of a model in a tf.train.Checkpoint: its layers are lost."""

    class Net(mt.keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [mt.keras.layers.Dense(2), {"k": mt.keras.layers.Dense(3)}]

        def call(self, x):
            return self.blocks[1]["k"](self.blocks[0](x))

    nets = Net(), Net()
    for net in nets:
        net(np.ones((1, 2), "float32"))
    path = mt.train.Checkpoint(net=nets[0]).write(tmp_path / "ckpt")
    mt.train.Checkpoint(net=nets[1]).read(path).assert_consumed()
    for a, b in zip(numbers(nets[0].weights), numbers(nets[1].weights), strict=True):
        np.testing.assert_array_equal(a, b)
    assert "net/blocks/1/k/_kernel/.ATTRIBUTES/VARIABLE_VALUE" in dict(
        mt.train.list_variables(path)
    )


# ----- values that come before their variables -----


@pytest.mark.parametrize("kind", [sequential, functional, subclass])
def test_what_is_made_after_the_restoration_gets_its_values_then(tf, kind, tmp_path):
    x = np.random.default_rng(0).normal(size=(4, 6, 6, 1)).astype("float32")

    def step(library, model, optimizer):
        with library.GradientTape() as tape:
            loss = library.reduce_mean(library.square(model(x)))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    def made(library):
        return kind(library), library.keras.optimizers.Adam(0.1)

    for writer in (tf, mt):
        model, optimizer = made(writer)
        step(writer, model, optimizer)
        path = writer.train.Checkpoint(model=model, optimizer=optimizer).save(
            str(tmp_path / writer.__name__ / "ckpt")
        )
        fresh, other = made(mt)
        status = mt.train.Checkpoint(model=fresh, optimizer=other).restore(path)
        status.assert_existing_objects_matched()
        if kind is subclass:  # it has no weights yet
            with pytest.raises(AssertionError, match="values without an object"):
                status.assert_consumed()
        np.testing.assert_allclose(fresh(x).numpy(), model(x).numpy(), rtol=1e-4, atol=1e-5)
        step(mt, fresh, other)
        step(writer, model, optimizer)
        status.assert_consumed()
        assert int(other.iterations.numpy()) == 2
        np.testing.assert_allclose(fresh(x).numpy(), model(x).numpy(), rtol=1e-3, atol=1e-4)


def test_an_attribute_that_is_set_later_gets_its_value(tf, tmp_path):
    for library in (tf, mt):
        path = library.train.Checkpoint(a=library.Variable(1.0), b=[library.Variable(2.0)]).write(
            str(tmp_path / library.__name__)
        )
        checkpoint = mt.train.Checkpoint()
        checkpoint.read(path)
        checkpoint.a = mt.Variable(0.0)
        checkpoint.b = [mt.Variable(0.0)]
        assert (checkpoint.a.numpy(), checkpoint.b[0].numpy()) == (1.0, 2.0)


def test_a_value_is_given_once_and_what_waits_does_not_hold_objects_alive(tmp_path):
    path = mt.train.Checkpoint(a=mt.Variable(1.0), b=mt.Variable(2.0)).write(tmp_path / "ckpt")
    a = mt.Variable(0.0)
    checkpoint = mt.train.Checkpoint(a=a)
    checkpoint.read(path)
    a.assign(5.0)
    checkpoint.b = mt.Variable(0.0)
    assert (a.numpy(), checkpoint.b.numpy()) == (5.0, 2.0)
    from minitensor.autograd.restoring import waiting

    before = len(waiting)
    other = mt.train.Checkpoint(a=a)
    other.read(path)
    assert len(waiting) == before + 1
    del other
    assert len(waiting) == before


# ----- what does not fit -----


def test_what_does_not_fit_is_said_as_tensorflow_says_it(tf, tmp_path):
    def ends(library, saved, wanted, question):
        path = library.train.Checkpoint(**saved(library)).write(
            str(tmp_path / f"{library.__name__}{len(list(tmp_path.iterdir()))}")
        )
        try:
            status = library.train.Checkpoint(**wanted(library)).read(path)
            getattr(status, question)() if question else status
        except Exception as problem:
            return type(problem).__mro__
        return (None,)

    def one(**values):
        return lambda library: {name: library.Variable(value) for name, value in values.items()}

    rows = [
        (one(a=1.0), one(a=2.0), "assert_consumed", None),
        (one(a=1.0, b=2.0), one(a=2.0), "assert_consumed", AssertionError),
        (one(a=1.0, b=2.0), one(a=2.0), "assert_existing_objects_matched", None),
        (one(a=1.0, b=2.0), one(a=2.0), "expect_partial", None),
        (one(a=1.0), one(a=2.0, b=3.0), "assert_consumed", AssertionError),
        (one(a=1.0), one(a=2.0, b=3.0), "assert_existing_objects_matched", AssertionError),
        (one(a=1.0), one(b=3.0), "assert_nontrivial_match", AssertionError),
        (one(a=1.0), one(a=3.0), "assert_nontrivial_match", None),
        (one(a=[1.0]), one(a=[3.0, 4.0]), None, ValueError),
    ]
    for saved, wanted, question, expected in rows:
        for library in (tf, mt):
            assert expected in ends(library, saved, wanted, question), (library, question)


def test_a_wrong_shape_changes_nothing_and_names_both(tmp_path):
    path = mt.train.Checkpoint(a=mt.Variable(1.0), b=mt.Variable([1.0])).write(tmp_path / "ckpt")
    a, b = mt.Variable(5.0), mt.Variable([5.0, 6.0], name="bias")
    with pytest.raises(mt.errors.InvalidArgumentError, match=r"bias.*\(1,\).*\(2,\).*key b/"):
        mt.train.Checkpoint(a=a, b=b).read(path)
    assert a.numpy() == 5.0
    with pytest.raises(ValueError, match=r"float32.*int32"):
        mt.train.Checkpoint(a=mt.Variable(1)).read(path)


def test_none_is_no_checkpoint_yet():
    status = mt.train.Checkpoint(a=mt.Variable(1.0)).restore(mt.train.latest_checkpoint("nowhere"))
    status.expect_partial()
    with pytest.raises(AssertionError, match="No checkpoint specified"):
        status.assert_consumed()


def test_what_holds_no_variables_is_refused():
    with pytest.raises(ValueError, match="a=3 holds no variables; legal are"):
        mt.train.Checkpoint(a=3)


# ----- files -----


def test_the_manager_keeps_the_files_that_tensorflow_keeps(tf, tmp_path):
    def story(library):
        folder = tmp_path / library.__name__
        step = library.Variable(0)
        checkpoint = library.train.Checkpoint(step=step)
        manager = library.train.CheckpointManager(
            checkpoint,
            str(folder),
            2,
            checkpoint_name="c",
            step_counter=step,
            checkpoint_interval=2,
        )
        told = [manager.restore_or_initialize(), manager.latest_checkpoint]
        for _ in range(7):
            told.append(manager.save())
            step.assign_add(1)
        told += [manager.save(checkpoint_number=77, check_interval=False), *manager.checkpoints]
        again = library.train.CheckpointManager(checkpoint, str(folder), max_to_keep=3)
        told += [again.latest_checkpoint, *again.checkpoints, again.save(), *again.checkpoints]
        told += [library.train.latest_checkpoint(str(folder))]
        state = library.train.get_checkpoint_state(str(folder))
        told += [state.model_checkpoint_path, *state.all_model_checkpoint_paths]
        files = sorted(path.name for path in folder.iterdir())
        lines = (folder / "checkpoint").read_text().splitlines()
        lines = [line for line in lines if "timestamp" not in line]
        told = [os.path.relpath(t, folder) if t else t for t in told]
        return told, files, lines, int(checkpoint.save_counter.numpy())

    assert story(mt) == story(tf)


def test_each_reads_the_folder_of_the_other(tf, tmp_path):
    for writer, reader in [(tf, mt), (mt, tf)]:
        folder = str(tmp_path / writer.__name__)
        v = writer.Variable(0)
        manager = writer.train.CheckpointManager(writer.train.Checkpoint(v=v), folder, 2)
        for i in range(3):
            v.assign(i)
            manager.save()
        w = reader.Variable(9)
        other = reader.train.CheckpointManager(reader.train.Checkpoint(v=w), folder, 2)
        assert other.checkpoints == manager.checkpoints
        assert other.restore_or_initialize() == manager.latest_checkpoint
        assert w.numpy() == 2
        assert os.path.basename(other.save()) == "ckpt-4"


def test_tensors_are_listed_and_read_by_their_keys(tf, tmp_path):
    path = tf.train.Checkpoint(a=tf.Variable([[1, 2]]), b=tf.Variable(2.5)).write(
        str(tmp_path / "ckpt")
    )
    assert mt.train.list_variables(path) == tf.train.list_variables(path)
    ours, theirs = mt.train.load_checkpoint(path), tf.train.load_checkpoint(path)
    assert ours.get_variable_to_shape_map() == theirs.get_variable_to_shape_map()
    for name, kind in theirs.get_variable_to_dtype_map().items():
        a, b = ours.get_tensor(name), theirs.get_tensor(name)
        assert type(a) is type(b)
        np.testing.assert_array_equal(a, b)
        assert ours.get_variable_to_dtype_map()[name] == kind.as_numpy_dtype
    key = "b/.ATTRIBUTES/VARIABLE_VALUE"
    assert mt.train.load_variable(path, key) == tf.train.load_variable(path, key)
    for library in (tf, mt):
        with pytest.raises(library.errors.NotFoundError, match="no such"):
            library.train.load_checkpoint(path).get_tensor("no such")
        with pytest.raises(library.errors.NotFoundError):
            library.train.Checkpoint(a=library.Variable(1)).restore(str(tmp_path / "nothing"))


# ----- bytes -----


def test_check_sums_are_those_of_rfc_3720():
    rows = {
        b"123456789": 0xE3069283,
        bytes(32): 0x8A9136AA,
        b"\xff" * 32: 0x62A8AB43,
        bytes(range(32)): 0x46DD794E,
    }
    assert {data: crc32c(data) for data in rows} == rows
    data = np.random.default_rng(0).bytes(5000)
    for size in (0, 1, 511, 512, 513, 1024, 1537, 5000):
        plain = 0xFFFFFFFF
        for byte in data[:size]:
            plain ^= byte
            for _ in range(8):
                plain = plain >> 1 ^ (0x82F63B78 if plain & 1 else 0)
        assert crc32c(data[:size]) == plain ^ 0xFFFFFFFF
        assert crc32c(data[size:], crc32c(data[:size])) == crc32c(data)
    assert masked(0) == 0xA282EAD8


def test_numbers_and_tables_of_many_blocks_come_back():
    for value in (0, 1, 127, 128, 300, 2**31, 2**63, 2**64 - 1):
        assert read_varint(varint(value), 0) == (value, len(varint(value)))
    assert list(fields(field(3, 7) + field(1, b"xy"))) == [(3, 7), (1, b"xy")]
    entries = {b"key %06d" % i: bytes([i % 256]) * 30 for i in range(20000)}
    assert read_table(table(entries)) == entries
    assert read_table(table({})) == {}


def hostile(entries, index=None):
    """An index file whose one block has these bytes, with right check sums."""

    def sealed(block):
        block += struct.pack("<II", 0, 1) + b"\0"
        return block + struct.pack("<I", masked(crc32c(block)))

    block = sealed(entries)
    where = varint(0) + varint(len(block) - 5)
    row = b"\0" + varint(1) + varint(len(where)) + b"z" + where
    rows = sealed(row if index is None else index(row, where))
    footer = varint(0) + varint(0) + varint(len(block)) + varint(len(rows) - 5)
    return block + rows + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def test_an_index_that_is_small_and_would_be_large_is_refused():
    key = b"k" * 4000
    first = b"\0" + varint(4000) + b"\0" + key
    with pytest.raises(ValueError, match="keys"):
        read_table(hostile(first + (varint(4000) + varint(0) + b"\0") * 100_000))
    with pytest.raises(ValueError, match="too long a key"):
        read_table(hostile(b"\0" + varint(5000) + b"\0" + b"k" * 5000))
    with pytest.raises(ValueError, match="overlap"):
        read_table(hostile(first, lambda row, where: row * 3))
    with pytest.raises(ValueError, match="check sum"):
        read_table(hostile(first).replace(b"kkkk", b"kkkj", 1))


def test_damaged_files_are_refused_with_the_name_of_the_file(tmp_path):
    path = mt.train.Checkpoint(a=mt.Variable(np.arange(100.0))).write(tmp_path / "ckpt")
    data, index = Path(f"{path}.data-00000-of-00001"), Path(f"{path}.index")
    whole = data.read_bytes()

    def refused(words, kind=mt.errors.DataLossError):
        with pytest.raises(kind, match=words):
            mt.train.Checkpoint(a=mt.Variable(np.zeros(100))).read(path)

    place = whole.index(np.float64(42.0).tobytes())
    data.write_bytes(whole[: place + 6] + b"\xff" + whole[place + 7 :])
    refused("tensor 'a/.*the check sum is wrong")
    data.write_bytes(whole[:500])
    refused("ends before it")
    data.unlink()
    refused("ckpt.data-00000-of-00001 is missing", mt.errors.NotFoundError)
    index.write_bytes(index.read_bytes()[:-1])
    refused("ckpt.index is damaged: it is no index")
    index.unlink()
    refused("There is no checkpoint", FileNotFoundError)


def test_a_graph_of_wrong_numbers_or_without_measure_is_refused():
    with pytest.raises(ValueError, match="'a' is object 7 of 1"):
        read_graph(field(1, field(1, field(1, 7) + field(2, "a"))))
    with pytest.raises(ValueError, match="more than"):
        read_graph(field(1, b"") * 600_000)
    with pytest.raises(ValueError, match="no object"):
        read_graph(b"")


def test_the_names_of_keras_2_are_read(tmp_path):
    """As TensorFlow 2.15 wrote a Sequential: "layer-1", "layer_with_weights-0", `kernel`."""
    keys = {"kernel": np.ones((2, 3), "float32"), "bias": np.full(3, 2.0, "float32")}
    nodes = [Node({"model": 1}), Node({"layer_with_weights-0": 2, "layer-1": 2, "layer-0": 3})]
    nodes += [Node({"kernel": 4, "bias": 5}), Node()]
    nodes += [Node(values={"VARIABLE_VALUE": key}) for key in keys]
    write_bundle(tmp_path / "ckpt", keys | {KEY: written(nodes)})
    keras = mt.keras
    model = keras.Sequential([keras.Input((2,)), keras.layers.ReLU(), keras.layers.Dense(3)])
    mt.train.Checkpoint(model=model).restore(tmp_path / "ckpt").expect_partial()
    assert model([[1.0, 1.0]]).numpy().tolist() == [[4.0, 4.0, 4.0]]


def test_signatures_are_tensorflows(tf):
    def described(thing):
        parameters = inspect.signature(thing).parameters.values()
        return [
            (p.name, p.kind, "" if p.default is p.empty else str(p.default)) for p in parameters
        ]

    def public(cls):
        return [n for n, v in vars(cls).items() if inspect.isfunction(v) and n[0] != "_"]

    for name in mt.train.__all__:
        ours, theirs = getattr(mt.train, name), getattr(tf.train, name)
        if hasattr(theirs, "DESCRIPTOR"):  # a protocol buffer, which Python cannot describe
            continue
        assert described(ours) == described(theirs), name
        for method in public(ours) if inspect.isclass(ours) else ():
            mine, other = described(getattr(ours, method)), described(getattr(theirs, method))
            assert mine == other, (name, method)
    assert described(mt.Module) == described(tf.Module)
