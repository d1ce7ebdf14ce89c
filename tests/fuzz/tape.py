"""Random taped programs of 3 to 12 ops, run by TensorFlow and here: values, dtypes, errors, slopes.

    python tests/fuzz/tape.py --count 20000 --seed 0

A program is drawn while TensorFlow runs it (programs.py). Then it runs here. Each result must have
TensorFlow's shape, dtype and values; what TensorFlow refuses must be refused; and gradients by
random cotangents must be TensorFlow's for every input. Where a gradient differs, the steps are
looked for that make the difference out of the same slopes. If something differs, the program is
judged once more by TensorFlow without the faults that the ledger proves (mended.py), and that is
the judgement. Where rounding decides, TensorFlow is asked again beside the point of a step, and
not believed if it then says something else; what follows is compared step by step, each from
TensorFlow's own values and slopes.
"""

import collections

import numpy as np
from campaigns import main
from mended import Mended
from programs import Ref, call, program

APART = "apart"
REFUSALS = (ValueError, TypeError, IndexError, NotImplementedError)


# ----- one program, by both -----


def slopes(tf, values, steps, inputs, watched, beside=0.0):
    """Runs a program: its values and refusals, and the gradients of a random sum of its results."""
    values = [tf.constant(v) for v in values]
    outcomes = []
    with tf.GradientTape() as tape:
        tape.watch([values[i] for i in watched])
        env = dict(enumerate(values))
        for step, count, first in steps:
            try:
                results = call(tf, step, env)
            except REFUSALS as refusal:
                results = refusal
            except Exception as refusal:  # TensorFlow's own
                if type(refusal).__module__.split(".")[0] != "tensorflow":
                    raise
                results = refusal
            outcomes.append(results)
            if isinstance(results, list) and isinstance(count, int):
                env.update(zip(range(first, first + count), results, strict=False))
            elif isinstance(count, int):
                break
        total = summed(tf, env, len(inputs))
    if isinstance(total, float):
        return outcomes, [None] * len(watched)
    try:
        return outcomes, tape.gradient(total, [values[i] for i in watched])
    except LookupError as refusal:  # an op without a gradient
        return outcomes, refusal
    except Exception as refusal:
        if type(refusal).__module__.split(".")[0] != "tensorflow":
            raise
        return outcomes, refusal


def summed(tf, env, given):
    """The sum of all floats of a program beyond what it was given, with random weights."""
    draw, total = np.random.default_rng(7), 0.0
    for i in sorted(env):
        g = draw.normal(size=env[i].shape)
        if env[i].dtype.name.startswith(("float", "bfloat")) and i >= given:
            total += tf.reduce_sum(tf.cast(env[i], "float64") * g)
    return total


def tolerance(dtype):
    return {"float16": 2e-2, "bfloat16": 1e-1, "float32": 2e-4}.get(dtype, 1e-7)


def loosest(inputs, steps):
    """The tolerance of the least exact type that a program computes in."""
    casts = [a for step, *_ in steps for a in step[1] if isinstance(a, str)]
    kinds = {a.dtype.name for a in inputs} | set(casts)
    return max((tolerance(kind) for kind in kinds if kind.startswith("float")), default=0.0)


def differ(theirs, ours, limit):
    """What is different of two tensors; empty if nothing."""
    if ours.dtype.name != theirs.dtype.name:
        return f"dtype {ours.dtype.name} for {theirs.dtype.name}"
    a, b = np.asarray(theirs), np.asarray(ours)
    if a.shape != b.shape:
        return f"shape {b.shape} for {a.shape}"
    if a.dtype.kind not in "fV":
        return "" if (a == b).all() else f"values {b.tolist()} for {a.tolist()}"
    a, b = a.astype("float64"), b.astype("float64")
    limit = max(tolerance(theirs.dtype.name), limit)
    finite = np.abs(a[np.isfinite(a)])
    near = limit * max(1.0, finite.max() if finite.size else 1.0)
    with np.errstate(all="ignore"):
        same = (np.abs(a - b) <= near) | (a == b) | (np.isnan(a) & np.isnan(b))
    return "" if same.all() else f"values {b.tolist()} for {a.tolist()}"


def gradient_differs(tf, theirs, ours, limit, steep=False):
    """The same of two gradients, of which each may be missing.

    `steep`: they come of infinite slopes or values. Then the order of products and sums chooses
    between an infinity and NaN, 0 times it and it minus itself: either stands for the other.
    """
    if theirs is None or ours is None:
        return "" if theirs is ours else f"None {ours} for {theirs}"
    theirs, ours = (g if hasattr(g, "numpy") else tf.convert_to_tensor(g) for g in (theirs, ours))
    if steep:
        theirs, ours = (tf.where(tf.math.is_finite(g), g, np.nan) for g in (theirs, ours.numpy()))
    return differ(theirs, ours, max(limit, 1e-6))


def infinite(gradients):
    """Whether an infinity or NaN is among them."""
    return not all(np.isfinite(np.asarray(g)).all() for g in gradients if g is not None)


# ----- one step alone -----


def refs(value):
    """The numbers of the values that an argument names, each once."""
    if isinstance(value, Ref):
        return [value]
    parts = value if isinstance(value, list | tuple) else []
    return list(dict.fromkeys(ref for part in parts for ref in refs(part)))


def alone(engine, step, arrays, slopes):
    """The gradients of one step, from given slopes of its results."""
    env = {i: engine.constant(a) for i, a in arrays.items()}
    sources = [env[ref] for ref in refs([*step[1]])]
    with engine.GradientTape() as tape:
        tape.watch([x for x in sources if x.dtype.name.startswith(("float", "bfloat"))])
        results = call(engine, step, env)
    pairs = [(y, engine.constant(g)) for y, g in zip(results, slopes, strict=True) if g is not None]
    if not pairs:
        return [None] * len(sources)
    return tape.gradient([y for y, _ in pairs], sources, [g for _, g in pairs])


def doubted(tf, answer, env, limit, signs=(1, -1)):
    """Whether TensorFlow gives something else a hair beside the values that it is given."""
    here = answer(env)
    for sign in signs:
        there = answer({i: moved(a, sign, limit) for i, a in env.items()})
        if any(
            gradient_differs(tf, *pair, max(limit, 1e-5)) for pair in zip(here, there, strict=True)
        ):
            return True
    return False


def moved(array, sign, limit):
    """An array of floats a hair off: up, down, or each element its own way, which parts equals."""
    if array.dtype.kind != "f":
        return array
    if sign is APART:
        sign = np.random.default_rng(3).choice([-1, 1], array.shape)
    by = sign * 1e-3 * max(limit, 1e-6)
    return (array * (1 + by) + sign * 1e-9).astype(array.dtype)


def blamed(tf, ours, inputs, steps, limit):
    """[(op, "slope", detail)]: what each step makes of TensorFlow's slopes, where it differs."""
    env = dict(enumerate(map(tf.constant, inputs)))
    done, found = [], []
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([env[i] for i, a in enumerate(inputs) if a.dtype.kind == "f"])
        for step, count, first in steps:
            if isinstance(count, int):
                results = call(tf, step, env)
                env.update(zip(range(first, first + count), results, strict=True))
                done.append((step, range(first, first + count)))
        total = summed(tf, env, len(inputs))
    arrays = {i: np.asarray(value) for i, value in env.items()}
    for step, places in reversed(done):
        slopes = [tape.gradient(total, env[i]) for i in places]
        slopes = [None if g is None else np.asarray(g) for g in slopes]
        theirs, mine = (alone(engine, step, arrays, slopes) for engine in (tf, ours))
        for ref, a, b in zip(refs([*step[1]]), theirs, mine, strict=True):
            why = gradient_differs(
                tf, a, b, limit, infinite([*slopes, *(arrays[i] for i in places)])
            )
            if why and not doubted(
                tf, lambda at, step=step, slopes=slopes: alone(tf, step, at, slopes), arrays, limit
            ):
                found.append((step[0], "slope", f"{step} of ${int(ref)}: {why}"))
    return found


# ----- the judgement -----


def compare(tf, ours, seed):
    """[(op, what differs, detail)] of one program."""
    drawn = program(tf, seed)
    return judged(tf, ours, *drawn) and judged(Mended(tf), ours, *drawn)


def judged(tf, ours, inputs, steps):
    """The same, by this TensorFlow."""
    watched = [i for i, a in enumerate(inputs) if a.dtype.kind == "f"]
    limit = loosest(inputs, steps)
    theirs, their_slopes = slopes(tf, inputs, steps, inputs, watched)
    mine, my_slopes = slopes(ours, inputs, steps, inputs, watched)
    found, rounded = [], False
    env = dict(enumerate(map(np.asarray, inputs)))
    for (step, _, first), a, b in zip(steps, theirs, mine, strict=False):
        if isinstance(a, Exception) != isinstance(b, Exception):
            what = "we refuse" if isinstance(b, Exception) else "we compute"
            found.append((step[0], what, f"{step}: {shown(b)} for {shown(a)}"))
            if what == "we refuse":
                return found
        elif not isinstance(a, Exception):
            whys = [why for x, y in zip(a, b, strict=True) if (why := differ(x, y, limit))]
            if not whys or not (more := step_differs(tf, ours, step, env, limit)):
                rounded = rounded or bool(whys)
            else:
                found += more
            env.update(zip(range(first, first + len(a)), map(np.asarray, a), strict=True))
    if isinstance(their_slopes, Exception):
        both = isinstance(my_slopes, Exception)
        return found if both else [*found, ("gradient", "we compute", shown(their_slopes))]
    if isinstance(my_slopes, Exception):
        return [*found, ("gradient", "we refuse", shown(my_slopes))]
    if found:
        return found
    if rounded:
        return blamed(tf, ours, inputs, steps, limit)
    pairs = zip(watched, their_slopes, my_slopes, strict=True)
    whys = [f"{i}: {why}" for i, a, b in pairs if (why := gradient_differs(tf, a, b, limit))]
    if not whys:
        return []

    def answer(env):
        return slopes(tf, [env[i] for i in range(len(inputs))], steps, inputs, watched)[1]

    guilty = blamed(tf, ours, inputs, steps, limit)
    if guilty or infinite(tf.convert_to_tensor(g) for g in their_slopes if g is not None):
        return guilty
    # each step is right by itself: then equals may be parted, whose order rounding may have chosen
    if doubted(tf, answer, dict(enumerate(inputs)), limit, (1, -1, APART)):
        return []
    return [("gradient", "slope", why) for why in whys]


def step_differs(tf, ours, step, env, limit):
    """What is different of a step if it is given TensorFlow's arguments."""

    def answer(env, engine=tf):
        return call(engine, step, {i: engine.constant(a) for i, a in env.items()})

    theirs, mine = answer(env), answer(env, ours)
    whys = [why for x, y in zip(theirs, mine, strict=True) if (why := differ(x, y, limit))]
    if not whys or doubted(tf, answer, env, limit):
        return []
    return [(step[0], why.split()[0], f"{step}: {why}") for why in whys]


def shown(outcome):
    if isinstance(outcome, Exception):
        return f"{type(outcome).__name__}: {str(outcome)[:150]}"
    return str([np.asarray(v).tolist() for v in outcome])[:150]


def campaign(tf, ours, count, seed, show=3):
    """Runs `count` programs; prints the differences that have no reason, and gives their number."""
    differences = collections.Counter()
    for number in range(seed, seed + count):
        for path, what, detail in compare(tf, ours, number):
            differences[path, what] += 1
            if differences[path, what] <= show:
                print(f"program {number}: {path}, {what}: {detail[:400]}", flush=True)
    for (path, what), cases in differences.most_common():
        print(f"{cases} times {path}, {what}")
    print(f"{count} programs, {differences.total()} differences")
    return differences.total()


if __name__ == "__main__":
    main(__doc__, 20000, campaign)
