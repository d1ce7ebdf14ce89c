"""String tensors: moved, compared and joined as by TensorFlow, refused where numbers are made."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import minitensor as mt

WORDS = ["flowers/roses/1.jpg", "", "b\0c", "é", " a  b "]


def plain(value):
    """A tensor as (type, shape, values); lists and tuples of them as lists."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    found = np.asarray(value)
    return value.dtype.name, found.shape, repr(found.tolist())


MOVES = {
    "one": lambda tf: tf.constant("é"),
    "bytes with a zero at the end": lambda tf: tf.constant(b"a\0"),
    "a list": lambda tf: tf.constant(WORDS),
    "arrays of NumPy": lambda tf: [
        tf.constant(np.array(x)) for x in (["a", "bc"], [b"a", b"bc"], "a", np.array(["a"], object))
    ],
    "nothing": lambda tf: tf.constant([], tf.string),
    "a shape": lambda tf: tf.constant(["a", "b", "c", "d"], tf.string, [2, 2]),
    "a sum": lambda tf: [tf.constant("a") + np.array(["b", "c"]), "b" + tf.constant("a")],
    "equal": lambda tf: [tf.constant(WORDS) == "é", tf.constant("a") != b"a"],
    "equal to an array": lambda tf: tf.constant("b") == np.array(["a", "b"]),
    "tf.equal": lambda tf: tf.equal(["a", "b"], tf.constant("a")),
    "indices": lambda tf: [tf.constant(WORDS)[i] for i in (0, -1, slice(None, None, -2))],
    "rows": lambda tf: list(tf.constant([["a", "b"], ["c", "d"]])),
    "concat": lambda tf: tf.concat([tf.constant(["a"]), ["b", "c"]], 0),
    "stack": lambda tf: tf.stack([tf.constant("a"), "b"]),
    "gather": lambda tf: tf.gather(WORDS, [3, 0]),
    "gather_nd": lambda tf: tf.gather_nd([["a", "b"]], [[0, 1]]),
    "where": lambda tf: tf.where([True, False], "a", "b"),
    "reshape": lambda tf: tf.reshape(["a", "b"], [2, 1]),
    "transpose": lambda tf: tf.transpose([["a", "b"]]),
    "expand_dims": lambda tf: tf.expand_dims(tf.constant("a"), 0),
    "squeeze": lambda tf: tf.squeeze(tf.constant([["a"]])),
    "tile": lambda tf: tf.tile(["a", "b"], [2]),
    "repeat": lambda tf: tf.repeat(["a", "b"], 2),
    "reverse": lambda tf: tf.reverse(["a", "b"], [0]),
    "split": lambda tf: tf.split(tf.constant(["a", "b"]), 2),
    "unstack": lambda tf: tf.unstack(tf.constant(["a", "b"])),
    "broadcast_to": lambda tf: tf.broadcast_to("a", [2]),
    "boolean_mask": lambda tf: tf.boolean_mask(["a", "b"], [False, True]),
    "fill": lambda tf: tf.fill([2], "a"),
    "identity": lambda tf: tf.identity("a"),
    "unique": lambda tf: list(tf.unique(["b", "a", "b"])),
    "size": lambda tf: [tf.size(WORDS), tf.shape(WORDS), tf.rank("a")],
    "a class by its name": lambda tf: tf.argmax(tf.constant("b") == tf.constant(["a", "b"])),
    "one-hot by its name": lambda tf: tf.cast(tf.constant("b") == ["a", "b"], tf.float32),
}
FUNCTIONS = {
    "split": lambda tf: [tf.strings.split(w) for w in WORDS],
    "split at": lambda tf: [tf.strings.split(w, s) for w in ("a/b//c", "", "/") for s in "/b"],
    "split at most": lambda tf: [
        tf.strings.split(w, s, m) for w in ("a b  c ", " a") for s in (None, " ") for m in (0, 1, 2)
    ],
    "split's parts": lambda tf: tf.strings.split(WORDS[0], "/")[-2],
    "join": lambda tf: tf.strings.join(["a", tf.constant(["b", "c"]), "d"], "-"),
    "join of few": lambda tf: [tf.strings.join([]), tf.strings.join(["a"], "-")],
    "reduce_join": lambda tf: [
        tf.strings.reduce_join([["a", "b"], ["c", "d"]], axis, keep, "-")
        for axis in (None, 0, 1, -1, [0, 1], [1, 0])
        for keep in (False, True)
    ],
    "length": lambda tf: [tf.strings.length(WORDS, u) for u in ("BYTE", "UTF8_CHAR")],
    "substr": lambda tf: [
        tf.strings.substr("hello", p, n) for p in (0, 1, 5, -1, -5) for n in (0, 2, 9)
    ],
    "substr each": lambda tf: tf.strings.substr(["hello", "ab"], [1, 0], [2, 1]),
    "substr of characters": lambda tf: tf.strings.substr("héllo", 1, 2, "UTF8_CHAR"),
    "lower": lambda tf: [tf.strings.lower("AÉ", e) for e in ("", "utf-8")],
    "upper": lambda tf: [tf.strings.upper("aé", e) for e in ("", "utf-8")],
    "strip": lambda tf: tf.strings.strip([" a\n", "\t", ""]),
    "regex_replace": lambda tf: [
        tf.strings.regex_replace(text, pattern, rewrite, everywhere)
        for text in ("abcabc", "a1b22", "a\n", "", "é.é")
        for pattern in ("b*", "x*", "[ab]", r"(\d+)", "a$", r"\$", "[$b]", "^a|c", ".", r"\.")
        for rewrite in ("-", r"<\0>", r"\\")
        for everywhere in (True, False)
    ],
    "regex_replace with groups": lambda tf: tf.strings.regex_replace("k=v", r"(\w)=(\w)", r"\2\1"),
    "regex_full_match": lambda tf: tf.strings.regex_full_match(["a.jpg", "a", "é"], ".*[.]jpg|."),
    "to_number": lambda tf: [
        tf.strings.to_number(["1.5", " 2 ", "-1e3", "nan", "1e400", "inf", "+5"], kind)
        for kind in ("float32", "float64")
    ],
    "to_number of integers": lambda tf: [
        tf.strings.to_number(["1", "-7", "007"], kind) for kind in ("int32", "int64")
    ],
    "as_string": lambda tf: [
        tf.strings.as_string([True, False]),
        tf.strings.as_string(tf.constant([1, -20])),
        tf.strings.as_string([1, 20], width=5, fill="0"),
        tf.strings.as_string([1.5, -2e10]),
        tf.strings.as_string([1.5], precision=2),
        tf.strings.as_string([1.5], scientific=True, width=15),
        tf.strings.as_string([1e10, 0.1], shortest=True),
        tf.strings.as_string("a"),
    ],
    "decode_raw": lambda tf: [
        tf.io.decode_raw(b"\1\0\2\0", tf.int16),
        tf.io.decode_raw([b"\1\0", b"\2\0"], tf.uint8),
        tf.io.decode_raw([[b"\1\0"]], tf.int16, little_endian=False),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
def test_text_is_moved_and_compared_as_in_tensorflow(name, tf):
    assert plain(MOVES[name](mt)) == plain(MOVES[name](tf))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_text_are_tensorflows(name, tf):
    assert plain(FUNCTIONS[name](mt)) == plain(FUNCTIONS[name](tf))


@pytest.mark.parametrize("name", mt.strings.__all__)
def test_signatures_are_tensorflows(name, tf):
    ours, theirs = (inspect.signature(getattr(m.strings, name)).parameters for m in (mt, tf))
    assert [(p.name, p.default) for p in ours.values()] == [
        (p.name, mt.float32 if p.default is tf.float32 else p.default) for p in theirs.values()
    ]


def test_a_text_prints_as_in_tensorflow(tf):
    for value in ("a", ["a", "é"]):
        ours, theirs = mt.constant(value), tf.constant(value)
        assert repr(ours).replace("minitensor.", "tf.") == repr(theirs)
        assert str(ours).replace("minitensor.", "tf.") == str(theirs)


def test_the_type_of_text_is_no_type_of_numbers():
    assert mt.string == mt.constant("a").dtype == object
    assert mt.string != mt.float32
    assert mt.float32 != mt.string
    assert mt.string.name == "string"
    assert {mt.string: 1}[mt.constant("a").dtype] == 1


def test_text_is_copied_and_pickled():
    x = mt.constant(["a", "b"])
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert plain(y) == plain(x)


def test_what_numpy_gets_is_a_copy():
    x = mt.constant(["a", "b"])
    found = x.numpy()
    found[0] = b"changed"
    assert type(found) is np.ndarray
    assert x.numpy().tolist() == [b"a", b"b"]


REFUSED = {  # what TensorFlow refuses as well: no number is ever made of text by mistake
    "times": lambda tf: tf.constant("a") * 2,
    "less": lambda tf: tf.constant("a") < "b",
    "minus": lambda tf: -tf.constant("a"),
    "equal to a number": lambda tf: tf.constant("a") == 1,
    "cast": lambda tf: tf.cast("1", tf.int32),
    "cast from numbers": lambda tf: tf.cast(1, tf.string),
    "sum": lambda tf: tf.reduce_sum(["a", "b"]),
    "mean": lambda tf: tf.reduce_mean(["a", "b"]),
    "max": lambda tf: tf.reduce_max(["a", "b"]),
    "cumsum": lambda tf: tf.cumsum(["a", "b"]),
    "argmax": lambda tf: tf.argmax(["a", "b"]),
    "sort": lambda tf: tf.sort(["b", "a"]),
    "matmul": lambda tf: tf.matmul([["a"]], [["b"]]),
    "einsum": lambda tf: tf.einsum("i->", ["a"]),
    "relu": lambda tf: tf.nn.relu("a"),
    "one_hot": lambda tf: tf.one_hot("a", 3),
    "mixed": lambda tf: tf.constant(["a", 1]),
    "ragged": lambda tf: tf.constant([["a"], ["b", "c"]]),
    "text as numbers": lambda tf: tf.constant("a", tf.int32),
    "numbers as text": lambda tf: tf.constant(1, tf.string),
    "plus a number": lambda tf: tf.constant("a") + 1,
    "gather by text": lambda tf: tf.gather([1, 2], "a"),
    "join of shapes": lambda tf: tf.strings.join([["a", "b"], ["c"]]),
    "join of numbers": lambda tf: tf.strings.join([1, 2]),
    "unit": lambda tf: tf.strings.length("a", "x"),
    "outside": lambda tf: tf.strings.substr("hello", 9, 3),
    "before": lambda tf: tf.strings.substr("hello", -9, 3),
    "pattern": lambda tf: tf.strings.regex_replace("a", "(", ""),
    "no number": lambda tf: tf.strings.to_number("x"),
    "no integer": lambda tf: tf.strings.to_number("1.5", tf.int32),
    "too large": lambda tf: tf.strings.to_number("3000000000", tf.int32),
    "underscore": lambda tf: tf.strings.to_number("1_0"),
    "uint8": lambda tf: tf.strings.to_number("1", tf.uint8),
    "as_string twice": lambda tf: tf.strings.as_string(1.5, scientific=True, shortest=True),
    "as_string of an integer": lambda tf: tf.strings.as_string(1, precision=3),
    "half an element": lambda tf: tf.io.decode_raw(b"\1\0\2", tf.int16),
    "a layer": lambda tf: tf.keras.layers.Dense(2)(tf.constant([["a"]])),
    "an image": lambda tf: tf.image.resize(tf.constant([["a"]]), [2, 2]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_text_is_refused_where_tensorflow_refuses_it(name, tf):
    with pytest.raises(Exception):  # noqa: B017, PT011 (its own kinds of error)
        REFUSED[name](tf)
    with pytest.raises((TypeError, ValueError)):
        REFUSED[name](mt)


def test_parts_of_many_texts_would_be_ragged():
    with pytest.raises(ValueError, match="ragged"):
        mt.strings.split(["a b", "c"])


def test_text_stays_on_the_cpu_in_a_device_block():
    from minitensor.backend import devices

    if lack := devices.lack_of("EMULATOR"):
        pytest.skip(lack)
    with mt.device("/EMULATOR:0"):
        x = mt.constant(["a", "b"])
        assert (x == "a").numpy().tolist() == [True, False]
        assert mt.to_device(x, "emulator").numpy().tolist() == [b"a", b"b"]
