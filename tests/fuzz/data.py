"""Random chains of tf.data: elements, order, types, cardinality and errors against TensorFlow.

    python tests/fuzz/data.py --count 5000 --seed 0

A chain is a source and up to eight steps, chosen by what TensorFlow says of the elements so far; one
step in twenty may be refused. In one chain of five an element fails on the way, and errors are ignored
in the end. Both libraries build the same chain and go over it twice. Legal
outcomes: equal elements (floats up to rounding), equal cardinality, types and containers of
element_spec equal and shapes compatible; or both refuse. Every other outcome is printed with the
program that shows it, and the exit status is 1; but for three faults of TensorFlow (`TF_FAULTS`,
`unbatches_nothing`, `lost_in_a_window`; test_fuzz_runs.py has the proofs), and for one limit of ours:
TensorFlow traces functions, we look at the elements that they give, and know less where there is none
(docs/stays-out.md).
"""

# ruff: noqa: E501 (a line is a program)

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import Counter

import numpy as np

MOST = 40  # elements looked at
PIECE = 250  # chains in one process
DTYPES = ("uint8", "int16", "int32", "int64", "float32", "float64", "bool")
TF_FAULTS = (
    # choose_from_datasets tells concatenate the shape of its choices, not of its elements:
    # d = choose_from_datasets([e, e], choice); d.concatenate(d) is refused for e of vectors.
    # test_fuzz_runs.py has the proof: the same elements, batched and unbatched, are not refused.
    "Incompatible shapes at component",
)
KEPT = []  # every iterator: where one is taken down TensorFlow may wait without end, or die
WORDS = ["a", "bc", "", "roses/1.jpg", "é"]


# ----- what a chain is written in: each gives source text in which `tf` and `d` are free -----


def source(rng):
    n = int(rng.integers(0, 9)) if rng.random() < 0.2 else int(rng.integers(2, 9))
    match int(rng.integers(0, 9)):
        case 0 | 1:
            return f"tf.data.Dataset.range({n})"
        case 2:
            return (
                f"tf.data.Dataset.range({n}, {int(rng.integers(-3, 20))}, {rng.choice([1, 2, -1])})"
            )
        case 3:
            return f"tf.data.Dataset.from_tensor_slices({array(rng, n)})"
        case 4:
            return f"tf.data.Dataset.from_tensor_slices(({array(rng, n)}, {array(rng, n)}))"
        case 5:
            return f"tf.data.Dataset.from_tensor_slices({{'b': {array(rng, n)}, 'a': {array(rng, n)}}})"
        case 6:
            return (
                f"tf.data.Dataset.from_tensor_slices({[str(w) for w in rng.choice(WORDS, n or 1)]})"
            )
        case 7:
            return f"tf.data.Dataset.from_tensors({array(rng, n)})"
        case _:
            return (
                f"tf.data.Dataset.from_generator(lambda: ([k] * (k % 3) for k in range({n})), "
                "output_signature=tf.TensorSpec([None], tf.int32))"
            )


def array(rng, n):
    kind = str(rng.choice(DTYPES))
    shape = (n, *rng.integers(1, 4, rng.integers(0, 3)).tolist())
    values = rng.integers(0, 5 if kind != "bool" else 2, shape).tolist()
    return f"np.array({values}, '{kind}').reshape({shape})"


def leaves(spec):
    """The specs, or the arrays, in containers."""
    if isinstance(spec, dict):
        return [leaf for part in spec.values() for leaf in leaves(part)]
    if isinstance(spec, tuple):
        return [leaf for part in spec for leaf in leaves(part)]
    return [spec]


def step(rng, spec):
    """One more step that is legal for elements of this spec."""
    k = lambda low, high: int(rng.integers(low, high))  # noqa: E731
    found = leaves(spec)
    single = len(found) == 1 and not isinstance(spec, dict | tuple)
    ranks = [leaf.shape.rank for leaf in found]
    flag = str(bool(k(0, 2)))
    general = [
        f"d.take({k(0, 9)})",
        f"d.skip({k(0, 5)})",
        f"d.repeat({k(0, 4)})",
        f"d.batch({k(1, 5)}, {flag})",
        "d.enumerate()",
        f"d.shard({(n := k(1, 4))}, {k(0, n)})",
        "d.concatenate(d)",
        f"d.concatenate(d.take({k(0, 3)}))",
        "d.cache()",
        "d.prefetch(2)",
        "d.shuffle(1)",
        "tf.data.Dataset.zip((d, d))",
        f"tf.data.Dataset.zip({{'x': d, 'y': tf.data.Dataset.range({k(0, 9)})}})",
        "d.map(lambda *x: {'all': x})",
        "d.map(lambda *x: x[0])",
        f"d.map(lambda *x: x[0], num_parallel_calls={k(1, 4)})",
        f"d.interleave(lambda *x: tf.data.Dataset.from_tensors(x).repeat({k(0, 4)}), {k(1, 4)}, {k(1, 4)}, num_parallel_calls={k(1, 4)})",
        "d.map(lambda *x: (x[-1], x[0]))",
        f"d.enumerate().filter(lambda i, x: i % {k(2, 4)} == {k(0, 2)})",
        f"d.enumerate().take_while(lambda i, x: i < {k(0, 6)}).map(lambda i, x: x)",
        f"d.interleave(lambda *x: tf.data.Dataset.from_tensors(x).repeat({k(0, 4)}), {k(1, 4)}, {k(1, 4)})",
        f"d.enumerate().interleave(lambda i, x: tf.data.Dataset.from_tensors(x).repeat(i % 4), {k(1, 4)}, {k(1, 3)})",
        f"d.enumerate().flat_map(lambda i, x: tf.data.Dataset.from_tensors(x).repeat(i % {k(2, 4)}))",
        f"d.enumerate().scan(tf.constant({k(0, 3)}, tf.int64), lambda s, e: (s + e[0], (s, e[1])))",
        f"d.enumerate().window({k(1, 4)}, {k(1, 4)}, {k(1, 3)}, {flag}).flat_map(lambda i, x: i)",
        f"d.enumerate().group_by_window(lambda i, x: i % {k(1, 4)}, lambda key, w: w.take(2), {k(1, 4)})",
        f"tf.data.Dataset.choose_from_datasets([d, d.skip(1)], tf.data.Dataset.range(9).map(lambda n: n * n % 2), {flag})",
        f"d.enumerate().map(lambda i, x: (fail(tf, i == {k(0, 4)}), x)).ignore_errors().map(lambda i, x: x)",
        "d.apply(lambda e: e.skip(1))",
        "d.with_options(tf.data.Options())",
    ]  # fmt: skip
    if all(ranks):
        general += [
            "d.unbatch()",
            f"d.rebatch({k(1, 5)}, {flag})",
            f"d.rebatch([{k(1, 4)}, {k(1, 3)}])",
        ] * 3
    if None not in ranks:
        general += [f"d.padded_batch({k(1, 4)}, drop_remainder={flag})"] * 2
    if single:
        general += one(rng, found[0], k)
    return str(rng.choice(general))


def one(rng, leaf, k):
    """Steps for elements that are one tensor."""
    rank = leaf.shape.rank
    if leaf.dtype.name == "string":
        return [
            "d.map(lambda s: s + 'x')",
            "d.map(lambda s: (tf.strings.length(s), tf.strings.upper(s)))",
            "d.map(lambda s: s == 'a')",
            "d.unique()",
            *(["d.map(lambda s: tf.strings.split(s, '/'))"] * 2 if rank == 0 else []),
        ]
    text = ["d.unique()"] * (leaf.dtype.name in ("int32", "int64"))
    if leaf.dtype.name == "bool":
        return [*text, "d.map(lambda x: tf.logical_not(x))"]
    text += [
        "d.map(lambda x: x + x)",
        "d.map(lambda x: tf.cast(x, tf.float32) / 2)",
        "d.map(lambda x: tf.cast(x, tf.int64))",
        "d.map(lambda x: tf.expand_dims(x, -1))" if rank is not None else "d.map(lambda x: x)",
        "d.map(lambda x: tf.reduce_sum(x))",
        "d.map(lambda x: [x, x + 1])",
        "d.map(lambda x: tf.py_function(lambda y: y + 1, [x], x.dtype))",
        "d.map(lambda x: tf.numpy_function(lambda y: y + y, [x], x.dtype))",
    ]
    if rank == 0 and leaf.dtype.is_integer:
        text += [
            "d.filter(lambda x: x % 2 == 0)",
            "d.take_while(lambda x: x < 3)",
            "d.map(lambda n: tf.fill([tf.cast(n % 3, tf.int32)], n))",
            "d.flat_map(lambda n: tf.data.Dataset.range(tf.cast(n % 4, tf.int64)))",
            f"d.window({k(1, 4)}, {k(1, 4)}, {k(1, 3)}, {bool(k(0, 2))}).flat_map(lambda w: w.batch(3))",
            f"d.map(lambda n: tf.fill([tf.cast(n % 3, tf.int32)], n)).padded_batch({k(1, 4)}, [{k(2, 5)}])",
        ]
    return text


def bad_step(rng):
    """A step that is refused for some elements, or for all."""
    return str(rng.choice([
        "d.batch(0)", "d.shard(2, 2)", "d.shard(0, 0)", "d.window(0)", "d.window(2, 0)", "d.window(2, 1, 0)",
        "d.shuffle(0)", "d.padded_batch(0)", "d.unbatch()", "d.rebatch(2)", "d.unique()",
        "d.concatenate(tf.data.Dataset.from_tensor_slices(['z']))",
        "d.concatenate(tf.data.Dataset.from_tensor_slices(([1], [2.5])))",
        "d.padded_batch(2, [1, 1, 1, 1])", "d.padded_batch(2, padding_values='z')", "d.padded_batch(2, [0])",
        "d.flat_map(lambda *x: x)", "d.interleave(lambda *x: x[0], 2)", "d.filter(lambda *x: [True, True])",
        "d.scan(0, lambda s, x: s)", "d.interleave(lambda *x: tf.data.Dataset.range(2), 0)",
        "tf.data.Dataset.zip((d, 3))", "d.apply(lambda e: 3)", "d.map(3)", "d.take_while(lambda *x: [True])",
        "d.map(lambda *x: None)", "d.batch(2).batch(3)", "d.batch(2).unbatch()",
        "tf.data.Dataset.choose_from_datasets([], tf.data.Dataset.range(3))",
        "tf.data.Dataset.choose_from_datasets([d], tf.data.Dataset.range(3))",
        "d.group_by_window(lambda *x: 0, lambda k, w: w)", "d.with_options(3)",
    ]))  # fmt: skip


# ----- running one -----


def fail(tf, here):
    """1.0, or an error of the data where `here` holds."""
    x = tf.where(here, tf.constant(np.nan, tf.float32), tf.constant(1.0, tf.float32))
    return tf.debugging.check_numerics(x, "failed")


def built(tf, lines, d=None):
    for line in lines:
        d = eval(line, {"tf": tf, "np": np, "d": d, "fail": fail})
    return d


def plain(element):
    if isinstance(element, dict):
        return {key: plain(item) for key, item in element.items()}
    if isinstance(element, tuple):
        return tuple(plain(item) for item in element)
    return np.asarray(element)


def kept(iterator):
    KEPT.append(iterator)
    return iterator


def outcome(tf, lines):
    """(kind of what came, what): elements, cardinality and spec; or the error."""
    try:
        d = built(tf, lines)
        untuned = tf.data.Options()
        untuned.autotune.enabled = False  # TensorFlow's tuning of some pipelines never ends
        seen = d.take(MOST).with_options(untuned)
        both = [[plain(e) for e in kept(seen.as_numpy_iterator())] for _ in range(2)]
        return "elements", (both, int(d.cardinality()), d)
    except Exception as problem:
        return "error", problem


def same(a, b):
    """Whether two elements are equal."""
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict | tuple) or isinstance(b, dict | tuple):
        return False
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind == "f":
        return np.allclose(a, b, rtol=1e-5, equal_nan=True)
    return a.tolist() == b.tolist()


def compatible(ours, theirs):
    """Whether two specs say the same, as far as each says something."""
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and all(compatible(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, tuple):
        return len(ours) == len(theirs) and all(map(compatible, ours, theirs))
    if ours.dtype.name != theirs.dtype.name:
        return False
    return ours.shape is None or theirs.shape.is_compatible_with(list(ours.shape))


def difference(lines, mt, tf):
    """What differs between the two libraries, in words; "" if nothing does."""
    if unbatches_nothing(mt, lines):
        return ""
    (kind, ours), (other, theirs) = outcome(mt, lines), outcome(tf, lines)
    if "error" in (kind, other):
        if kind == other and isinstance(ours, ValueError | TypeError):
            return ""
        if kind == "elements" and not ours[0][0]:  # our limit: we have seen nothing to refuse
            return ""
        if kind == "elements" and joined_to_nothing(mt, lines, str(theirs)):
            return ""
        if any(words in str(theirs) for words in TF_FAULTS):
            return ""
        if other == "elements" and lost_in_a_window(tf, lines, str(ours)):
            return ""
        words = [f"{type(x).__name__}: {str(x)[:200]}" if isinstance(x, Exception) else "elements"
                 for x in (ours, theirs)]  # fmt: skip
        return f"ours: {words[0]}\n    TensorFlow: {words[1]}"
    for mine, yours in zip(ours[0], theirs[0], strict=True):
        if len(mine) != len(yours) or not all(map(same, mine, yours)):
            return f"ours: {mine}\n    TensorFlow: {yours}"
    if ours[1] != theirs[1] and not unknown_here(lines, ours[1]):
        return f"cardinality: ours {ours[1]}, TensorFlow {theirs[1]}"
    if ours[0][0] and not compatible(ours[2].element_spec, theirs[2].element_spec):
        return f"spec: ours {ours[2].element_spec}\n    TensorFlow {theirs[2].element_spec}"
    return ""


def unbatches_nothing(mt, lines):
    """Whether rows that hold no number are unbatched. TensorFlow's fault: it dies of them."""
    before = [lines[:i] for i, line in enumerate(lines) if line == "d.unbatch()"]
    found = [outcome(mt, [*some, "d.ignore_errors()"]) for some in before]
    elements = [e for kind, what in found if kind == "elements" for e in what[0][0]]
    arrays = [array for e in elements for array in leaves(e)]
    return any(not array.size and array.shape[0] for array in arrays if array.ndim)


def lost_in_a_window(tf, lines, refusal):
    """Whether TensorFlow refuses a batch, but not windows of it.

    TensorFlow's fault: what is wrong with a last, smaller batch comes together with the end, and
    `window` looks at the end only.
    """
    return "Cannot batch tensors" in refusal and any(
        ".window(" in line and outcome(tf, lines[:i])[0] == "error" for i, line in enumerate(lines)
    )


def joined_to_nothing(mt, lines, refusal):
    """Whether other elements are refused where none came before. Our limit: we have seen none."""
    return "Incompatible dataset elements" in refusal and any(
        line.startswith("d.concatenate(tf.") and holds_nothing(mt, lines[:i])
        for i, line in enumerate(lines)
    )


def holds_nothing(mt, lines):
    kind, what = outcome(mt, [*lines, "d.ignore_errors()"])
    return kind == "elements" and not what[0][0]


def unknown_here(lines, count):
    """Our limit: TensorFlow traces a map and knows the sizes of its batches; we look at elements."""
    text = " ".join(lines)
    return count == -2 and "unbatch" in text


def chain(rng, tf):
    """A source and steps, each legal for what TensorFlow says of the elements before, or a bad one."""
    lines, d = [source(rng)], None
    for _ in range(int(rng.integers(1, 9))):
        try:
            d = built(tf, lines[-1:], d)
        except Exception:
            break
        bad = rng.random() < 0.05
        lines.append(bad_step(rng) if bad else step(rng, d.element_spec))
    return lines


def with_an_error(rng, lines):
    """The chain with an element that fails somewhere; errors are ignored in the end, and only there."""
    at, bad = int(rng.integers(1, len(lines) + 1)), int(rng.integers(0, 4))
    fails = f"d.enumerate().map(lambda i, x: (fail(tf, i == {bad}), x)).map(lambda i, x: x)"
    after = [line.replace(".ignore_errors()", "") for line in lines[at:]]
    return [*lines[:at], fails, *after, "d.ignore_errors()"]


def in_pieces(seed, first, count):
    """Many chains, at most PIECE of them in a process; gives how many differ.

    After some hundreds TensorFlow may die or never end, alone as well. So a piece without an answer is
    halved; a chain that dies alone counts as a difference.
    """
    if count > PIECE:
        return in_pieces(seed, first, PIECE) + in_pieces(seed, first + PIECE, count - PIECE)
    words = ["--seed", str(seed), "--first", str(first), "--count", str(count)]
    command = [sys.executable, __file__, *words, "--here"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        code = done.returncode
    except subprocess.TimeoutExpired:
        code = -1
    if code in (0, 1) and done.stdout:
        *shown, last = done.stdout.splitlines()
        print(*shown, sep="\n", end="\n" * bool(shown), flush=True)
        return int(last.split()[2])
    if count == 1:
        print(f"{first}: no answer", flush=True)
        return 1
    half = count // 2
    return in_pieces(seed, first, half) + in_pieces(seed, first + half, count - half)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first chain")
    parser.add_argument("--here", action="store_true", help="all of them in this process")
    given = parser.parse_args()
    if not given.here:
        differ = in_pieces(given.seed, given.first, given.count)
        print(f"{given.count} chains, {differ} differ")
        return int(bool(differ))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import tensorflow as tf

    import minitensor as mt

    found = Counter()
    for k in range(given.first, given.first + given.count):
        rng = np.random.default_rng([given.seed, k])
        lines = chain(rng, tf)
        if not k % 5:
            lines = with_an_error(rng, lines)
        words = difference(lines, mt, tf)
        found[bool(words)] += 1
        if words:
            program = "\n    d = ".join(lines)
            print(f"{k}: d = {program}\n    {words}", flush=True)
    print(f"{given.count} chains, {found[True]} differ")
    sys.stdout.flush()
    os._exit(bool(found[True]))  # and takes no iterator down


if __name__ == "__main__":
    sys.exit(main())
