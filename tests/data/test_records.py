"""Files of records and tf.train.Example, both ways with TensorFlow, and files that are damaged."""

import gzip
import inspect
import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest

import minitensor as mt
from minitensor.io import wire
from minitensor.io.crc32c import crc32c, masked

RECORDS = [b"", b"one", bytes(range(256)) * 300, b"\x00" * 5, "é".encode(), os.urandom(70001)]
PACKED = (None, "", "GZIP", "ZLIB")


def records(lib, *given):
    return [record.numpy() for record in lib.data.TFRecordDataset(*given)]


# ----- files of records -----


@pytest.mark.parametrize("packed", PACKED)
def test_files_of_records_pass_both_ways(tf, tmp_path, packed):
    for writer, reader in ((mt, tf), (tf, mt), (mt, mt)):
        path = str(tmp_path / "some")
        with writer.io.TFRecordWriter(path, packed) as file:
            for record in RECORDS:
                file.write(record)
                file.flush()
        assert records(reader, path, packed) == RECORDS
        assert records(reader, [path, path], packed) == RECORDS * 2
        (tmp_path / "none").write_bytes(b"")
        assert records(reader, str(tmp_path / "none"), packed) == []
        options = writer.io.TFRecordOptions(packed, compression_level=1)
        with writer.io.TFRecordWriter(path, options) as file:
            file.write("é")
        assert records(reader, path, packed) == ["é".encode()]


def test_datasets_of_names_interleave_and_know_what_they_give(tf, tmp_path):
    for n in range(3):
        with mt.io.TFRecordWriter(tmp_path / f"{n}.rec") as file:
            for k in range(n + 1):
                file.write(f"{n}{k}")
    found = []
    for lib in (mt, tf):
        files = lib.data.Dataset.list_files(f"{tmp_path}/*.rec", shuffle=False)
        many = files.interleave(lambda name, lib=lib: lib.data.TFRecordDataset(name))
        found.append([record.numpy() for record in many])
        found.append(records(lib, files))
        whole = lib.data.TFRecordDataset(files, num_parallel_reads=1).batch(2)
        found.append(str(whole.element_spec).replace("tf.string", "string"))
    assert found[:3] == found[3:]


@pytest.mark.parametrize("packed", ["", "GZIP"])
def test_a_dataset_is_written_by_the_old_name(tf, tmp_path, packed):
    path = str(tmp_path / "old")
    mt.data.experimental.TFRecordWriter(path, packed).write(
        mt.data.Dataset.from_tensor_slices([b"a", b"bc"])
    )
    assert records(tf, path, packed) == [b"a", b"bc"]


def test_a_file_that_was_packed_twice_is_read_whole(tf, tmp_path):
    path = tmp_path / "both"
    for pack, packed in ((gzip.compress, "GZIP"), (zlib.compress, "ZLIB")):
        path.write_bytes(pack(framed(b"one")) + pack(framed(b"two")))
        assert records(mt, str(path), packed) == [b"one", b"two"]
    assert records(tf, str(path), "ZLIB")[:1] == [b"one"]


def framed(record, size=None):
    head = struct.pack("<Q", len(record) if size is None else size)
    sums = (struct.pack("<I", masked(crc32c(part))) for part in (head, record))
    return head + next(sums) + record + next(sums)


def test_damaged_files_are_data_loss_after_what_is_whole(tf, tmp_path):
    whole = framed(b"first") + framed(b"x" * 100)
    path = tmp_path / "hurt"
    random = np.random.default_rng(0)
    for turn in range(60):
        cut = turn % 2
        at = int(random.integers(len(whole)))
        changed = b"" if cut else bytes([whole[at] ^ 1 << turn % 8]) + whole[at + 1 :]
        hurt = whole[:at] + changed
        path.write_bytes(hurt)
        ends = []
        for lib in (mt, tf):
            got = []
            try:
                for record in lib.data.TFRecordDataset(str(path)):
                    got.append(record.numpy())
                ends.append((got, "end"))
            except lib.errors.DataLossError:
                ends.append((got, "loss"))
        if cut and (0 < at < 12 or 21 < at < 33):  # cut in a head: for TensorFlow the end
            assert [how for _, how in ends] == ["loss", "end"]
            assert ends[0][0] == ends[1][0]
        else:
            assert ends[0] == ends[1], (turn, at)


def test_a_record_that_promises_more_than_there_is_takes_no_memory(tmp_path):
    path = tmp_path / "large"
    tracemalloc.start()
    for packed in (None, "GZIP", "ZLIB"):
        pack = {None: bytes, "GZIP": gzip.compress, "ZLIB": zlib.compress}[packed]
        for size in (2**20, 2**28 - 1, 2**30, 2**63):
            path.write_bytes(pack(framed(b"few", size)))
            with pytest.raises(mt.errors.DataLossError, match="damaged at 0"):
                records(mt, str(path), packed)
    bomb = gzip.compress(framed(b"", 2**30)[:12] + bytes(1 << 24))
    path.write_bytes(bomb)
    with pytest.raises(mt.errors.DataLossError, match="a record of 1073741824 bytes"):
        records(mt, str(path), "GZIP")
    for packed in ("GZIP", "ZLIB"):
        path.write_bytes(framed(b"plain"))
        with pytest.raises(mt.errors.DataLossError, match="damaged at 0"):
            records(mt, str(path), packed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


def test_what_cannot_be_is_refused(tmp_path):
    path = str(tmp_path / "file")
    for make in (mt.io.TFRecordOptions, lambda kind: mt.data.TFRecordDataset(path, kind)):
        with pytest.raises(ValueError, match="legal: None, '', 'GZIP' and 'ZLIB'"):
            make("SNAPPY")
    with pytest.raises(FileNotFoundError):
        records(mt, path)
    with pytest.raises(FileNotFoundError):
        mt.io.TFRecordWriter(tmp_path / "no" / "folder")
    writer = mt.io.TFRecordWriter(path)
    with pytest.raises(TypeError, match="record"):
        writer.write(3)
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"late")
    with pytest.raises(TypeError):
        mt.data.TFRecordDataset(3)


# ----- tf.train.Example -----


def drawn(lib, random):
    """An Example of random lists."""
    train, features = lib.train, {}
    for name in "abcdé"[: random.integers(1, 6)]:
        count = random.integers(5)
        kind = random.integers(4)
        if kind == 0:
            value = [random.bytes(random.integers(9)) for _ in range(count)]
            features[name] = train.Feature(bytes_list=train.BytesList(value=value))
        elif kind == 1:
            value = random.normal(size=count) * 10.0 ** random.integers(-8, 30)
            features[name] = train.Feature(float_list=train.FloatList(value=value))
        elif kind == 2:
            value = random.integers(-(2**63), 2**63 - 1, size=count) >> random.integers(64)
            features[name] = train.Feature(int64_list=train.Int64List(value=value))
        else:
            features[name] = train.Feature()
    return train.Example(features=train.Features(feature=features))


def test_examples_pass_both_ways_and_are_shown_alike(tf):
    for number in range(300):
        ours, theirs = (drawn(lib, np.random.default_rng(number)) for lib in (mt, tf))
        back = mt.train.Example.FromString(theirs.SerializeToString())
        assert back == ours
        assert tf.train.Example.FromString(ours.SerializeToString()) == theirs
        assert sorted(str(ours).split("\n")) == sorted(str(theirs).split("\n"))
        for name, feature in theirs.features.feature.items():
            mine = ours.features.feature[name]
            assert mine.WhichOneof("kind") == feature.WhichOneof("kind")
            for kind in ("bytes_list", "float_list", "int64_list"):
                assert mine.HasField(kind) == feature.HasField(kind)
                assert getattr(mine, kind).value == list(getattr(feature, kind).value)


def test_messages_are_filled_piece_by_piece(tf):
    texts = []
    for lib in (mt, tf):
        example = lib.train.Example()
        example.features.feature["n"].int64_list.value.append(3)
        example.features.feature["n"].int64_list.value.extend([4, 5])
        other = lib.train.Example()
        other.CopyFrom(example)
        example.features.feature["x"].float_list.value[:] = [0.1, 2]
        again = lib.train.Example()
        data = example.SerializeToString()
        assert again.ParseFromString(data) == len(data)
        assert again == example != other
        assert other.HasField("features")
        assert not lib.train.Example().HasField("features")
        texts.append(sorted(str(example)) + sorted(str(other)))
    assert texts[0] == texts[1]


def test_truth_values_are_integers():
    truths = [True, np.True_, mt.constant(False), np.bool_(0), np.uint8(7), mt.constant(5)]
    assert mt.train.Int64List(value=truths).value == [1, 1, 0, 0, 7, 5]


def test_lists_that_are_not_packed_are_read(tf):
    bits = np.float32([1.5, -2]).view(np.uint32).tolist()
    loose = b"".join(wire.fixed32(1, n) for n in bits)
    numbers = b"".join(wire.field(1, n) for n in (7, -7))
    split = wire.field(3, numbers) + wire.field(3, wire.field(1, wire.varint(300)))
    last = wire.field(1, b"") + wire.field(2, b"")
    entries = {"f": wire.field(2, loose), "n": split, "last": last}
    body = b"".join(wire.field(1, wire.field(1, k) + wire.field(2, v)) for k, v in entries.items())
    features = {
        "f": mt.io.FixedLenFeature([2], mt.float32),
        "n": mt.io.FixedLenFeature([3], mt.int64),
    }
    data = wire.field(1, body)
    ours, theirs = (lib.train.Example.FromString(data) for lib in (mt, tf))
    for name in entries:
        mine, other = (x.features.feature[name] for x in (ours, theirs))
        assert mine.WhichOneof("kind") == other.WhichOneof("kind")
        assert mine.int64_list.value == list(other.int64_list.value)
        assert mine.float_list.value == list(other.float_list.value)
    read = mt.io.parse_single_example(data, features)
    assert read["n"].numpy().tolist() == [7, -7, 300]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda t: t.BytesList(value=["text"]), "encode"),
        (lambda t: t.BytesList(value=[mt.constant(b"a")]), "numpy"),
        (lambda t: t.BytesList(value=b"ab"), "bytes"),
        (lambda t: t.Int64List(value=[1.5]), "integer"),
        (lambda t: t.Int64List(value=[2**63]), "out of range"),
        (lambda t: t.Int64List(value=3), "iterable"),
        (lambda t: t.FloatList(value=["1"]), "real number"),
        (lambda t: t.Int64List([1]), "positional"),
        (lambda t: t.Feature(int64_list=[1]), "Int64List"),
        (lambda t: t.Feature(int64_list=t.FloatList(value=[1])), "Int64List"),
        (lambda t: t.Features(feature={"a": t.Int64List()}), "Feature"),
        (lambda t: t.Features(feature={1: t.Feature()}), "str"),
        (lambda t: t.Example(features={}), "Features"),
        (lambda t: t.Example.FromString(b"\x0a\xff"), "parsing"),
        (lambda t: t.Feature().WhichOneof("sort"), "kind"),
    ],
)
def test_what_no_list_holds_is_refused(wrong, says):
    with pytest.raises((TypeError, ValueError), match=says):
        wrong(mt.train)


# ----- examples as tensors -----


def shape_of(lib, random, kind, count, sequences):
    """A feature for a list of `count` values, most of them fitting."""
    dtype = {"bytes_list": lib.string, "float_list": lib.float32, "int64_list": lib.int64}[kind]
    if sequences and random.random() < 0.5:
        return lib.io.VarLenFeature(dtype)
    if sequences:
        default = {"bytes_list": "-", "float_list": -1.5, "int64_list": 7}[kind]
        shape = [[], [1], [2]][random.integers(3)]
        default = default if random.random() < 0.5 else None
        return lib.io.FixedLenSequenceFeature(shape, dtype, True, default)
    shapes = {0: [[0]], 1: [[], [1], 1], 4: [[4], [2, 2]]}.get(count, [[count]])
    shape = shapes[random.integers(len(shapes))]
    value = {"bytes_list": "-", "float_list": 2.5, "int64_list": -3}[kind]
    size = int(np.prod(shape))
    default = np.full(shape, value, object if kind == "bytes_list" else None).tolist()
    return lib.io.FixedLenFeature(shape, dtype, default if size and random.random() < 0.5 else None)


def outcome(lib, serialized, features, one):
    try:
        parse = lib.io.parse_single_example if one else lib.io.parse_example
        found = parse(serialized, features)
    except (lib.errors.InvalidArgumentError, ValueError):
        return "refused"
    return {n: shown(x) for n, x in found.items()}


def shown(x):
    """What a tensor, or a sparse one, holds."""
    if hasattr(x, "dense_shape"):
        return [shown(part) for part in (x.indices, x.values, x.dense_shape)]
    return x.dtype.name, tuple(x.shape), np.asarray(x).tolist()


def test_examples_become_the_tensors_that_tensorflow_makes(tf):
    kinds, seen = ("bytes_list", "float_list", "int64_list"), 0
    for number in range(400):
        random = np.random.default_rng(number)
        count = int(random.integers(1, 4))
        rows = [drawn(tf, random).SerializeToString() for _ in range(count)]
        if number % 4 == 0:
            rows = [b"", *rows]
        if number % 9 == 0 and count > 1:
            rows[-1] = rows[-1][: random.integers(len(rows[-1]) + 1)]
        example = tf.train.Example.FromString(rows[0])
        names = {n: f for n, f in example.features.feature.items() if f.WhichOneof("kind")}
        kept = [n for n in sorted({*names, "z"}) if random.random() < 0.7] or ["a"]
        asked = []
        for lib in (mt, tf):
            same = np.random.default_rng(number)
            features = {}
            for name in kept:
                kind = names[name].WhichOneof("kind") if name in names else kinds[same.integers(3)]
                size = len(getattr(names[name], kind).value) if name in names else 1
                kind = kinds[same.integers(3)] if same.random() < 0.1 else kind
                features[name] = shape_of(lib, same, kind, size, same.random() < 0.4)
            asked.append(features)
        for given, one in ((rows[0], True), (rows, False), (rows * 12, False)):
            ours, theirs = (
                outcome(lib, given, features, one)
                for lib, features in zip((mt, tf), asked, strict=True)
            )
            # Of an example that is cut between two features TensorFlow reads the first.
            cut = not one and number % 9 == 0 and ours == "refused"
            assert cut or ours == theirs, (number, one, asked[1])
            seen += ours != "refused"
    assert seen > 300


def test_a_pipeline_reads_what_a_program_wrote(tf, tmp_path):
    """The way of TensorFlow's tutorial: images as PNG, sizes and labels."""
    path = str(tmp_path / "images.tfrecord")
    random = np.random.default_rng(0)
    for writer in (mt, tf):
        train = writer.train
        with writer.io.TFRecordWriter(path, "GZIP") as file:
            for label in range(5):
                image = writer.constant(random.integers(0, 255, (4, 3, 3)).astype("uint8"))
                png = writer.io.encode_png(image).numpy()
                feature = {
                    "png": train.Feature(bytes_list=train.BytesList(value=[png])),
                    "label": train.Feature(int64_list=train.Int64List(value=[label])),
                    "place": train.Feature(float_list=train.FloatList(value=[0.5, label])),
                }
                example = train.Example(features=train.Features(feature=feature))
                file.write(example.SerializeToString())
        found = []
        for lib in (mt, tf):
            features = {
                "png": lib.io.FixedLenFeature([], lib.string),
                "label": lib.io.FixedLenFeature([], lib.int64),
                "place": lib.io.FixedLenFeature([2], lib.float32),
            }

            def read(record, lib=lib, features=features):
                got = lib.io.parse_single_example(record, features)
                return lib.io.decode_png(got["png"], channels=3), got["label"], got["place"]

            batches = lib.data.TFRecordDataset(path, "GZIP").map(read).batch(2)
            found.append([[np.asarray(x) for x in batch] for batch in batches])
            rows = lib.data.TFRecordDataset(path, "GZIP").batch(5)
            parsed = [lib.io.parse_example(row, features) for row in rows]
            found[-1].append([np.asarray(parsed[0][name]) for name in ("label", "place")])
        for a, b in zip(*found, strict=True):
            for x, y in zip(a, b, strict=True):
                np.testing.assert_array_equal(x, y)
                assert x.dtype == y.dtype


def test_sparse_tensors_become_dense(tf):
    """Through a dataset, as programs that detect objects do with their boxes."""
    found = []
    for lib in (mt, tf):

        def example(values, lib=lib):
            train = lib.train
            feature = train.Feature(float_list=train.FloatList(value=values))
            return train.Example(
                features=train.Features(feature={"x": feature})
            ).SerializeToString()

        rows = [example([1.5, 2.5]), example([]), example([3.5])]
        features = {"x": lib.io.VarLenFeature(lib.float32), "s": lib.io.VarLenFeature(lib.string)}
        parsed = lib.data.Dataset.from_tensor_slices(rows).map(
            lambda row, lib=lib, features=features: lib.io.parse_single_example(row, features)
        )
        dense = parsed.map(lambda x, lib=lib: lib.sparse.to_dense(x["x"], default_value=-1))
        found.append([x.numpy().tolist() for x in dense.padded_batch(3, [None], -1.0)])
        many = lib.io.parse_example(rows, features)
        found[-1].append(lib.sparse.to_dense(many["x"], -1).numpy().tolist())
        found[-1].append(lib.sparse.to_dense(many["s"], "-").numpy().tolist())
        found[-1].append((many["x"].shape.as_list(), many["x"].dtype.name))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "indices", [[[1, 0], [0, 1]], [[0, 1], [0, 1]], [[0, 2], [1, 0]], [[-1, 0]]]
)
def test_places_of_a_sparse_tensor_are_checked(tf, indices):
    for lib in (mt, tf):
        wrong = lib.SparseTensor(indices, [1.0] * len(indices), [2, 2])
        with pytest.raises(lib.errors.InvalidArgumentError):
            lib.sparse.to_dense(wrong)
    with pytest.raises(TypeError, match="SparseTensor"):
        mt.sparse.to_dense(mt.constant([1.0]))


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ({}, "cannot be"),
        (None, "cannot be"),
        ({"a": 3}, "Unsupported int"),
        ({"a": mt.io.FixedLenFeature([None], mt.int64)}, "FixedLenSequenceFeature"),
        ({"a": mt.io.FixedLenFeature([2, None], mt.int64)}, "need to be known"),
        ({"a": mt.io.FixedLenFeature([], mt.int32)}, "tf.cast"),
        ({"a": mt.io.FixedLenFeature([2], mt.int64, 3)}, "default_value"),
        ({"a": mt.io.FixedLenFeature([], mt.int64)}, "required"),
        ({"a": mt.io.FixedLenSequenceFeature([], mt.int64)}, "allow_missing"),
    ],
)
def test_features_that_say_nothing_are_refused(features, says):
    with pytest.raises(ValueError, match=says):
        mt.io.parse_example([b""], features)


def test_one_is_not_several():
    features = {"a": mt.io.FixedLenFeature([], mt.int64, 1)}
    with pytest.raises(ValueError, match="scalar"):
        mt.io.parse_single_example([b""], features)
    with pytest.raises(ValueError, match="scalar or vector"):
        mt.io.parse_example([[b""]], features)
    with pytest.raises(TypeError):
        mt.io.parse_example(3, features)
    with pytest.raises(AttributeError, match=r"Ragged and sparse tensors.*FixedLenSequenceFeature"):
        _ = mt.io.RaggedFeature


NAMES = ("io.TFRecordWriter", "io.TFRecordOptions", "io.FixedLenFeature", "data.TFRecordDataset")
NAMES += ("sparse.to_dense", "sparse.SparseTensor", "data.TextLineDataset", "io.VarLenFeature")
NAMES += (
    "io.parse_single_sequence_example",
    "io.FixedLenSequenceFeature",
    "io.parse_example",
    "io.parse_single_example",
)


@pytest.mark.parametrize("name", NAMES)
def test_the_arguments_are_tensorflow_s(tf, name):
    room, last = name.split(".")
    ours, theirs = (
        [
            (p.name, p.default)
            for p in inspect.signature(getattr(getattr(lib, room), last)).parameters.values()
        ]
        for lib in (mt, tf)
    )
    assert ours == theirs


# ----- sequences -----


def film(lib, random):
    """A SequenceExample of a label, boxes of so many numbers a frame, and words."""
    train, made = lib.train, lib.train.SequenceExample()
    if random.random() < 0.9:
        made.context.feature["label"].int64_list.value.append(int(random.integers(9)))
    for name, kind in (("x", "float_list"), ("words", "bytes_list"), ("n", "int64_list")):
        if random.random() < 0.2:
            continue
        for _ in range(random.integers(1, 5)):
            count = 2 if random.random() < 0.9 else int(random.integers(4))
            values = random.integers(99, size=count).tolist()
            values = [b"%d" % n for n in values] if kind == "bytes_list" else values
            lists = {
                "float_list": "FloatList",
                "bytes_list": "BytesList",
                "int64_list": "Int64List",
            }
            step = train.Feature(**{kind: getattr(train, lists[kind])(value=values)})
            made.feature_lists.feature_list[name].feature.append(step)
    return made


def test_sequences_pass_both_ways_and_become_the_same_tensors(tf):
    seen = 0
    for number in range(200):
        ours, theirs = (film(lib, np.random.default_rng(number)) for lib in (mt, tf))
        assert mt.train.SequenceExample.FromString(theirs.SerializeToString()) == ours
        assert tf.train.SequenceExample.FromString(ours.SerializeToString()) == theirs
        assert sorted(str(ours).split("\n")) == sorted(str(theirs).split("\n"))
        found, data = [], theirs.SerializeToString()
        if number % 10 == 0:
            data = data[: len(data) - 3]
        for lib in (mt, tf):
            io, missing = lib.io, bool(number % 3)
            context = {"label": io.FixedLenFeature([], lib.int64, 7 if number % 2 else None)}
            sequences = {
                "x": io.FixedLenSequenceFeature([2], lib.float32, missing),
                "n": io.VarLenFeature(lib.int64),
                "words": io.VarLenFeature(lib.string),
            }
            try:
                parts = io.parse_single_sequence_example(data, context, sequences)
                found.append([{n: shown(x) for n, x in part.items()} for part in parts])
            except (lib.errors.InvalidArgumentError, ValueError):
                found.append("refused")
        assert found[0] == found[1], number
        seen += found[0] != "refused"
    assert seen > 80


def test_sequences_that_are_none_are_refused():
    parse, features = mt.io.parse_single_sequence_example, mt.io.FixedLenFeature([], mt.int64)
    with pytest.raises(ValueError, match="Missing features"):
        parse(b"")
    with pytest.raises(ValueError, match="FixedLenSequenceFeature and"):
        parse(b"", None, {"a": features})
    with pytest.raises(ValueError, match="'a' is required"):
        parse(b"", None, {"a": mt.io.FixedLenSequenceFeature([], mt.int64)})
    with pytest.raises(ValueError, match="one text"):
        parse([b""], None, {"a": mt.io.VarLenFeature(mt.int64)})
    with pytest.raises(TypeError, match="Feature"):
        mt.train.FeatureList(feature=[3])


# ----- numbers that are bytes -----


@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("length", [None, 4, 8, 3])
def test_raw_bytes_are_cut_and_filled_up_as_by_tensorflow(tf, kind, length):
    for given in (b"abcdefgh", [[b"abcd"], [b"efgh"]], [b"abcdefgh", b"abc", b""], b""):
        for little in (True, False):
            found = []
            for lib in (mt, tf):
                try:
                    x = lib.io.decode_raw(given, kind, little, length)
                    found.append((x.dtype.name, x.shape.as_list(), x.numpy().tolist()))
                except (lib.errors.InvalidArgumentError, ValueError):
                    found.append("refused")
            assert found[0] == found[1], (given, little)
