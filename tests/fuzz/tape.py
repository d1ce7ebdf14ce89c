"""Random taped programs of 3 to 12 ops, run by TensorFlow and here: values, dtypes, errors, slopes.

    python tests/fuzz/tape.py --count 20000 --seed 0

A program is drawn while TensorFlow runs it, so that most calls are legal and some are not. Then it
runs here. Each result must have TensorFlow's shape, dtype and values; what TensorFlow refuses must
be refused; and gradients by random cotangents must be TensorFlow's for every input. `REASONS` says
where both are known to differ. Where rounding decides, TensorFlow is asked again beside the point,
and not believed if it then says something else.
"""

import collections
import functools
import operator

import numpy as np
from campaigns import main

FLOATS = ["float64"] * 6 + ["float32"] * 3 + ["float16"]
INTS = ["int32", "int64", "uint8", "int8"]
REFUSALS = (ValueError, TypeError, IndexError, NotImplementedError)


def words(text):
    return text.split()


UNARY = words("""
abs negative sign square sqrt exp sin cos tan tanh atan sigmoid round floor math.ceil
math.log math.log1p math.expm1 math.rsqrt math.reciprocal math.erf math.softplus
math.log_sigmoid math.sinh math.cosh math.asin nn.relu nn.relu6 nn.elu nn.selu
nn.leaky_relu nn.softsign nn.silu nn.gelu nn.crelu nn.softmax nn.log_softmax math.is_nan
math.is_inf math.is_finite zeros_like ones_like identity stop_gradient rank size shape
linalg.l2_normalize
""")
BINARY = words("""
add subtract multiply divide maximum minimum pow math.squared_difference math.floordiv
math.floormod math.mod math.divide_no_nan math.multiply_no_nan math.xlogy less less_equal
greater greater_equal equal not_equal
""")
REDUCE = words("""
reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_logsumexp math.reduce_std
math.reduce_variance norm math.reduce_euclidean_norm reduce_any reduce_all
math.count_nonzero
""")
SCAN = words("""
cumsum math.cumprod argmax argmin sort argsort reverse
""")
OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod, "**": operator.pow, "@": operator.matmul,
    "<": operator.lt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
    "&": operator.and_, "|": operator.or_, "neg": operator.neg, "abs": abs,
    "~": operator.invert, "[]": operator.getitem, "astype": lambda x, d: x,
}  # fmt: skip

# (op, what differs) -> why it stays so.
REASONS = {
    ("reverse", "we refuse"): "of a scalar TensorFlow reverses any axis",
    ("concat", "we refuse"): "of a single tensor TensorFlow does not read the axis",
    ("pad", "we compute"): "TensorFlow mirrors no scalar",
}


class Ref(int):
    """The number of a value of the program."""

    def __repr__(self):
        return f"${int(self)}"


def disputed(path, array):
    """Whether the ledger says that TensorFlow is wrong here: its slope, or its order of NaN."""
    if path == "math.cumprod":
        return bool((array == 0).any())
    return path in ("sort", "argsort", "argmax", "argmin") and bool(np.isnan(array).any())


class Draw:
    """A program, as it is drawn: steps, and TensorFlow's values of all refs."""

    def __init__(self, tf, seed):
        self.tf, self.rng = tf, np.random.default_rng(seed)
        self.inputs, self.values, self.steps = [], [], []
        self.kind = self.one(FLOATS)

    def one(self, options):
        return options[int(self.rng.integers(len(options)))]

    def rarely(self, often=12):
        return int(self.rng.integers(often)) == 0

    def shape(self):
        return tuple(int(n) for n in self.rng.integers(1, 4, self.rng.integers(0, 4)))

    def new(self, shape, dtype=None):
        """Another input, of small numbers that are exact in every dtype; ties and zeros happen."""
        dtype = dtype or self.kind
        if dtype == "bool":
            array = self.rng.integers(0, 2, shape).astype(bool)
        else:
            low = 0 if dtype[0] == "u" else -6
            array = self.rng.integers(low, 7, shape) / (2 if dtype[0] == "f" else 1)
            array = array.astype(dtype)
        if dtype[0] == "f" and self.rarely(40) and array.size:
            array.reshape(-1)[0] = self.one([np.nan, np.inf, -np.inf])
        ref = Ref(len(self.values))
        self.inputs.append((ref, array))
        self.values.append(self.tf.constant(array))
        return ref

    def any(self, *letters):
        """A value whose dtype begins so; a new one if there is none."""
        fitting = [
            Ref(i) for i, v in enumerate(self.values)
            if not letters or v.dtype.name[0] in letters
        ]  # fmt: skip
        if not fitting or self.rarely(6):
            letter = self.one(letters) if letters else "f"
            dtype = {"f": None, "i": "int32", "u": "uint8", "b": "bool"}[letter]
            return self.new(self.shape(), dtype)
        return self.one(fitting)

    def beside(self, ref):
        """A value to compute with another: its dtype, a shape that broadcasts; now and then not."""
        value = self.values[ref]
        if self.rarely(10):
            return self.any()
        if self.rarely(3):
            number = self.one([0, 1, 2, 3, 0.5, -1, 2.0, True, -2.5])
            return number if value.dtype.name[0] == "f" else self.one([0, 1, 2, 3])
        shape = [n if self.rng.integers(3) else 1 for n in value.shape]
        shape = shape[int(self.rng.integers(len(shape) + 1)) :] if self.rarely(3) else shape
        return self.new(shape, value.dtype.name)

    def axis(self, ref, many=False):
        rank = len(self.values[ref].shape)
        if self.rarely(15) or not rank:
            return self.one([None, 0, -1, rank, 7]) if many else self.one([0, rank, -rank - 1])
        axes = [int(a) for a in self.rng.permutation(rank)[: self.rng.integers(1, rank + 1)]]
        axes = [a - rank if self.rarely(2) else a for a in axes]
        return self.one([axes, axes[0], None]) if many else axes[0]

    def step(self, path, *args, **kwargs):
        """Runs a call here and keeps it, with its results or its refusal."""
        step = path, args, kwargs
        try:
            results = call(self.tf, step, self.values)
        except Exception as refusal:
            self.steps.append((step, refusal))
        else:
            self.steps.append((step, len(results)))
            self.values += results


def call(tf, step, values):
    """The tensors that one call gives."""
    path, args, kwargs = step
    function = OPERATORS.get(path) or functools.reduce(getattr, path.split("."), tf)

    def there(value):
        if isinstance(value, Ref):
            return values[value]
        return [there(v) for v in value] if isinstance(value, list) else value

    result = function(*map(there, args), **{k: there(v) for k, v in kwargs.items()})
    found = list(result) if isinstance(result, list | tuple) else [result]
    return [tf.convert_to_tensor(value) for value in found]


# ----- what may come next -----


def unary(d):
    letters = ("f", "f", "f", "i", "u", "b")[: 3 + 3 * d.rarely(5)]
    d.step(d.one(UNARY), d.any(*set(letters)))


def binary(d):
    x = d.any(*("fi" if d.rarely(3) else "f"))
    pair = [x, d.beside(x)]  # a number comes second: before a tensor TensorFlow takes it for int32
    swapped = isinstance(pair[1], Ref) and d.rarely(3)
    d.step(d.one(BINARY), *(pair[::-1] if swapped else pair))


def python(d):
    sign = d.one([s for s in OPERATORS if s not in ("[]", "astype")])
    x = d.any(*{"&": "b", "|": "b", "~": "b"}.get(sign, "fi" if d.rarely(3) else "f"))
    if sign in ("neg", "abs", "~"):
        return d.step(sign, x)
    if sign == "@":
        return product(d)
    pair = [x, d.beside(x)]
    return d.step(sign, *(pair if d.rng.integers(3) else pair[::-1]))


def reduction(d):
    name = d.one(REDUCE)
    x = d.any(*("b" if name in ("reduce_any", "reduce_all") else "fi" if d.rarely(4) else "f"))
    d.step(name, x, axis=d.axis(x, many=name != "norm"), keepdims=bool(d.rng.integers(2)))


def scan(d):
    name = d.one(SCAN)
    x = d.any(*("fi" if d.rarely(4) else "f"))
    more = {}
    if name in ("cumsum", "math.cumprod"):
        more = {word: bool(d.rng.integers(2)) for word in ("exclusive", "reverse")}
    if name in ("sort", "argsort"):
        more = {"direction": d.one(["ASCENDING", "DESCENDING"])}
    axis = d.axis(x)
    d.step(name, x, axis=[axis] if name == "reverse" else axis, **more)


def moving(d):
    x = d.any(*("fib" if d.rarely(3) else "f"))
    shape = [int(n) for n in d.values[x].shape]
    rank, size = len(shape), int(np.prod(shape))
    name = d.one(
        [
            "reshape",
            "transpose",
            "expand_dims",
            "tile",
            "pad",
            "roll",
            "repeat",
            "broadcast_to",
            "squeeze",
        ]
    )
    if name == "reshape":
        d.step(
            name, x, d.one([[-1], [size], [1, -1], shape[::-1], [*shape, 1], [-1, 2], [size + 1]])
        )
    elif name == "transpose":
        d.step(name, x, [int(a) for a in d.rng.permutation(rank + d.rarely(20))])
    elif name == "expand_dims":
        d.step(name, x, int(d.rng.integers(-rank - 1, rank + 1 + d.rarely())))
    elif name == "squeeze":
        d.step(name, x)
    elif name == "tile":
        d.step(name, x, [int(n) for n in d.rng.integers(0, 3, rank + d.rarely(20))])
    elif name == "pad":
        pads = d.rng.integers(0, 3, (rank, 2)).tolist()
        d.step(name, x, pads, mode=d.one(["CONSTANT", "REFLECT", "SYMMETRIC"]))
    elif name == "roll":
        d.step(name, x, int(d.rng.integers(-4, 5)), d.axis(x))
    elif name == "repeat":
        d.step(name, x, int(d.rng.integers(0, 3)), axis=d.axis(x))
    else:
        d.step(name, x, [int(d.rng.integers(1, 3)), *(n if n > 1 else 2 for n in shape)])


def joining(d):
    x = d.any("f")
    shape, kind = [int(n) for n in d.values[x].shape], d.values[x].dtype.name
    others = [d.new(shape, kind) for _ in range(d.rng.integers(0, 3))]
    if d.rarely(15):
        others.append(d.any())
    name = d.one(["concat", "stack", "add_n", "split", "unstack"])
    if name == "add_n":
        d.step(name, [x, *others])
    elif name == "split":
        d.step(name, x, int(d.rng.integers(1, 4)), axis=d.axis(x))
    elif name == "unstack":
        d.step(name, x, axis=d.axis(x))
    else:
        d.step(name, [x, *others], axis=d.axis(x))


def picking(d):
    x = d.any(*("fi" if d.rarely(4) else "f"))
    shape = [int(n) for n in d.values[x].shape]
    name = d.one(["[]", "gather", "where", "boolean_mask", "one_hot", "cast", "clip_by_value"])
    if name == "[]":
        items = [
            d.one([
                int(d.rng.integers(-n, n)) if n else None, slice(None), slice(None, None, -1),
                slice(1, None), slice(None, -1), slice(0, n, 2), Ellipsis, None, n + 1,
            ])
            for n in shape
        ]  # fmt: skip
        items = [
            item
            for i, item in enumerate(items)
            if item is not Ellipsis or Ellipsis not in items[:i]
        ]
        d.step(name, x, tuple(items))
    elif name == "gather":
        axis = d.axis(x)
        n = shape[axis] if shape and -len(shape) <= axis < len(shape) else 1
        d.step(name, x, d.rng.integers(0, max(n, 1), d.shape()[:2]).tolist(), axis=axis)
    elif name == "where":
        d.step(name, d.new(shape, "bool"), x, d.beside(x))
    elif name == "boolean_mask":
        d.step(name, x, d.new(shape[: max(len(shape) - d.rarely(2), 1)], "bool"))
    elif name == "one_hot":
        d.step(name, d.new(d.shape(), "int32"), int(d.rng.integers(1, 5)), axis=d.one([-1, 0]))
    elif name == "cast":
        d.step(name, x, d.one([*FLOATS, *INTS, "bool"]))
    else:
        low = d.one([-1.0, 0.0, 0.5])
        d.step(name, x, low, low + 1)


def product(d):
    x = d.any("f")
    shape, kind = [int(n) for n in d.values[x].shape], d.values[x].dtype.name
    if len(shape) < 2:
        x = d.new((2, 3), kind)
        shape = [2, 3]
    inner = shape[-1] + d.rarely(15)
    name = d.one(["matmul", "matmul", "@", "tensordot", "einsum"])
    if name == "matmul":
        flip = bool(d.rng.integers(2))
        y = d.new([*shape[:-2], 2, inner] if flip else [*shape[:-2], inner, 2], kind)
        d.step(name, x, y, transpose_b=flip)
    elif name == "@":
        d.step(name, x, d.new([inner, 2], kind))
    elif name == "tensordot":
        d.step(name, x, d.new([inner, 2], kind), 1)
    else:
        d.step(name, "...ij,jk->...ki", x, d.new([inner, 2], kind))


def windows(d):
    kind, c = d.kind, int(d.rng.integers(1, 3))
    x = d.new((1, *(int(n) for n in d.rng.integers(3, 6, 2)), c), kind)
    k, s = int(d.rng.integers(1, 4)), int(d.rng.integers(1, 3))
    pad = d.one(["SAME", "VALID"])
    name = d.one(
        [
            "conv2d",
            "max_pool2d",
            "avg_pool2d",
            "depthwise_conv2d",
            "conv2d_transpose",
            "bias_add",
            "moments",
        ]
    )
    if name == "conv2d":
        d.step("nn.conv2d", x, d.new((k, k, c, 2), kind), s, pad)
    elif name == "depthwise_conv2d":
        d.step("nn.depthwise_conv2d", x, d.new((k, k, c, 2), kind), [1, s, s, 1], pad)
    elif name == "conv2d_transpose":
        n, h, w, _ = (int(n) for n in d.values[x].shape)
        size = [n, h * s, w * s, 3] if pad == "SAME" else [n, (h - 1) * s + k, (w - 1) * s + k, 3]
        d.step("nn.conv2d_transpose", x, d.new((k, k, 3, c), kind), size, s, pad)
    elif name == "bias_add":
        d.step("nn.bias_add", x, d.new((c,), kind))
    elif name == "moments":
        d.step("nn.moments", x, d.one([[0], [0, 1, 2], [1, 2]]), keepdims=bool(d.rng.integers(2)))
    else:
        d.step(f"nn.{name}", x, k, s, pad)


NEXT = [unary] * 4 + [binary] * 4 + [python] * 3 + [reduction] * 3 + [scan] * 2
NEXT += [moving] * 3 + [joining] * 2 + [picking] * 3 + [product] * 2 + [windows]


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
        draw = np.random.default_rng(7)
        total = 0.0
        for i in sorted(env):
            value = env[i]
            g = draw.normal(size=value.shape)
            if value.dtype.name.startswith(("float", "bfloat")) and i >= len(inputs):
                total += tf.reduce_sum(tf.cast(value, "float64") * g)
    if isinstance(total, float):
        return outcomes, [None] * len(watched)
    return outcomes, tape.gradient(total, [values[i] for i in watched])


def program(tf, seed):
    """(inputs, steps, which inputs are floats), refs renumbered so that inputs come first."""
    d = Draw(tf, seed)
    for _ in range(d.rng.integers(1, 3)):
        d.new(d.shape())
    for _ in range(d.rng.integers(3, 13)):
        d.one(NEXT)(d)
    taken = [ref for ref, _ in d.inputs]
    order = {old: new for new, old in enumerate(taken)}
    for old in range(len(d.values)):
        order.setdefault(old, len(order))

    def renamed(value):
        if isinstance(value, Ref):
            return Ref(order[value])
        return [renamed(v) for v in value] if isinstance(value, list) else value

    steps, made = [], [i for i in range(len(d.values)) if i not in set(taken)]
    for (path, args, kwargs), count in d.steps:
        step = path, tuple(map(renamed, args)), {k: renamed(v) for k, v in kwargs.items()}
        first = order[made.pop(0)] if isinstance(count, int) and count else 0
        del made[: count - 1 if isinstance(count, int) and count else 0]
        steps.append((step, count, first))
    return [array for _, array in d.inputs], steps


def tolerance(dtype):
    return {"float16": 2e-2, "bfloat16": 1e-1, "float32": 2e-4}.get(dtype, 1e-7)


def differ(theirs, ours, loosest):
    """What is different of two tensors; empty if nothing."""
    if ours.dtype.name != theirs.dtype.name:
        return f"dtype {ours.dtype.name} for {theirs.dtype.name}"
    a, b = np.asarray(theirs), np.asarray(ours)
    if a.shape != b.shape:
        return f"shape {b.shape} for {a.shape}"
    if a.dtype.kind not in "fV":
        return "" if (a == b).all() else f"values {b.tolist()} for {a.tolist()}"
    a, b = a.astype("float64"), b.astype("float64")
    limit = max(tolerance(theirs.dtype.name), loosest)
    finite = np.abs(a[np.isfinite(a)])
    near = limit * max(1.0, finite.max() if finite.size else 1.0)
    with np.errstate(all="ignore"):
        same = (np.abs(a - b) <= near) | (a == b) | (np.isnan(a) & np.isnan(b))
    return "" if same.all() else f"values {b.tolist()} for {a.tolist()}"


def compare(tf, ours, seed):
    """[(op, what differs, detail)] of one program."""
    inputs, steps = program(tf, seed)
    watched = [i for i, a in enumerate(inputs) if a.dtype.kind == "f"]
    kinds = {a.dtype.name for a in inputs} | {
        a for step, *_ in steps for a in step[1] if isinstance(a, str)
    }
    loosest = max((tolerance(k) for k in kinds if k.startswith("float")), default=0.0)
    theirs, their_slopes = slopes(tf, inputs, steps, inputs, watched)
    mine, my_slopes = slopes(ours, inputs, steps, inputs, watched)
    found, exact, doubtful = [], True, False
    env = dict(enumerate(map(np.asarray, inputs)))
    for (step, _, first), a, b in zip(steps, theirs, mine, strict=False):
        path = step[0]
        taken = step[1][0] if step[1] else None
        if isinstance(taken, Ref) and env[taken].dtype.kind == "f" and disputed(path, env[taken]):
            doubtful = True
        if isinstance(a, list):
            env.update(zip(range(first, first + len(a)), map(np.asarray, a), strict=True))
        if isinstance(a, Exception) != isinstance(b, Exception):
            what = "we refuse" if isinstance(b, Exception) else "we compute"
            detail = f"{shown(b)} for {shown(a)}"
            found.append((path, what, f"{step}: {detail}"))
            if what == "we refuse":
                return found
        elif not isinstance(a, Exception):
            for x, y in zip(a, b, strict=True):
                if why := differ(x, y, loosest):
                    found.append((path, why.split()[0], f"{step}: {why}"))
                elif exact and np.asarray(x).tobytes() != np.asarray(y).tobytes():
                    exact = False
    if not any(what in ("dtype", "shape", "values") for _, what, _ in found):
        for i, a, b in zip(watched, their_slopes, my_slopes, strict=True):
            if (a is None) != (b is None):
                found.append(("gradient", "None", f"input {i}: {b} for {a}"))
            elif a is not None:
                a = tf.convert_to_tensor(a)
                if why := differ(a, b, max(loosest, 1e-6)):
                    found.append(("gradient", "slope", f"input {i}: {why}"))
    if doubtful:
        return [f for f in found if f[1] in ("we compute", "we refuse", "dtype", "shape")]
    if (
        found
        and not exact
        and rounding_decides(tf, inputs, steps, watched, theirs, their_slopes, loosest)
    ):
        return [f for f in found if f[1] in ("we compute", "dtype", "shape")]
    return found


def rounding_decides(tf, inputs, steps, watched, theirs, their_slopes, loosest):
    """Whether TensorFlow gives something else a hair beside the inputs."""
    for sign in (1, -1):
        moved = [
            (a * (1 + sign * 1e-3 * max(loosest, 1e-6)) + sign * 1e-9).astype(a.dtype)
            if a.dtype.kind == "f" else a
            for a in inputs
        ]  # fmt: skip
        again, slopes_again = slopes(tf, moved, steps, inputs, watched)
        for a, b in zip(theirs, again, strict=False):
            if isinstance(a, Exception) != isinstance(b, Exception):
                return True
            if not isinstance(a, Exception) and any(
                differ(x, y, max(loosest, 1e-5)) for x, y in zip(a, b, strict=False)
            ):
                return True
        for a, b in zip(their_slopes, slopes_again, strict=True):
            if (a is None) != (b is None) or (
                a is not None
                and differ(tf.convert_to_tensor(a), tf.convert_to_tensor(b), max(loosest, 1e-5))
            ):
                return True
    return False


def shown(outcome):
    if isinstance(outcome, Exception):
        return f"{type(outcome).__name__}: {str(outcome)[:150]}"
    return str([np.asarray(v).tolist() for v in outcome])[:150]


def campaign(tf, ours, count, seed, show=3):
    """Runs `count` programs; prints the differences that have no reason, and gives their number."""
    differences = collections.Counter()
    for number in range(seed, seed + count):
        for path, what, detail in compare(tf, ours, number):
            if (path, what) in REASONS:
                continue
            differences[path, what] += 1
            if differences[path, what] <= show:
                print(f"program {number}: {path}, {what}: {detail[:400]}", flush=True)
    for (path, what), cases in differences.most_common():
        print(f"{cases} times {path}, {what}")
    print(f"{count} programs, {differences.total()} differences")
    return differences.total()


if __name__ == "__main__":
    main(__doc__, 20000, campaign)
