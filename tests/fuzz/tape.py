"""Random taped programs of 3 to 12 ops, run by TensorFlow and here: values, dtypes, errors, slopes.

    python tests/fuzz/tape.py --count 20000 --seed 0

A program is drawn while TensorFlow runs it, so that most calls are legal and some are not. Then
it runs here. Each result must have TensorFlow's shape, dtype and values; what TensorFlow refuses
must be refused; and gradients by random cotangents must be TensorFlow's for every input. Where a
gradient differs, the steps are looked for that make the difference out of the same slopes.
`REASONS` says what may differ: each row stands in the ledger (`minitensor parity`, mostly in
cases/found.py) with its proof, or, where we refuse, in tests/parity/test_refused_here.py. Where
rounding decides, TensorFlow is asked again beside the point, and not believed if it then says
something else.
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


class Ref(int):
    """The number of a value of the program."""

    def __repr__(self):
        return f"${int(self)}"


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
    pair = [x, d.beside(x)]
    d.step(d.one(BINARY), *(pair[::-1] if d.rarely(3) else pair))


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
        total = summed(tf, env, len(inputs))
    if isinstance(total, float):
        return outcomes, [None] * len(watched)
    try:
        return outcomes, tape.gradient(total, [values[i] for i in watched])
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


# ----- what may differ -----


def refs(value):
    """The numbers of the values that an argument names, each once."""
    if isinstance(value, Ref):
        return [value]
    parts = value if isinstance(value, list | tuple) else []
    return list(dict.fromkeys(ref for part in parts for ref in refs(part)))


def holds(*tests):
    """Whether an element of a tensor passes one of the tests."""
    return lambda step, arrays, slopes: any(
        test(a.astype("float64")).any() for a in arrays for test in tests if a.dtype.kind in "fV"
    )


def of(*dtypes):
    """Whether the first tensor has one of these types."""
    return lambda step, arrays, slopes: bool(arrays) and arrays[0].dtype.name in dtypes


def both(one, other):
    return lambda *given: one(*given) and other(*given)


def either(one, other):
    return lambda *given: one(*given) or other(*given)


def steep(step, arrays, slopes):
    """Whether an infinity or NaN comes back."""
    return not all(np.isfinite(g.astype("float64")).all() for g in slopes)


def overflows(step, arrays, slopes):
    return of("uint8", "int8")(step, arrays, slopes) and bool(
        np.square(arrays[0].astype("int64")).sum() > np.iinfo(arrays[0].dtype).max
    )


def huge(step, arrays, slopes):
    """Whether a running product of float16 comes near its largest number, 65504."""
    return of("float16")(step, arrays, slopes) and bool(
        np.abs(arrays[0].astype("float64")).clip(1).prod() > 1000
    )


def mixed(step, arrays, slopes):
    """Whether a truth value is multiplied by a number."""
    kinds = [a.dtype.kind for a in arrays]
    numbers = [a for a in step[1] if isinstance(a, int | float) and not isinstance(a, bool)]
    return "b" in kinds and (len({*kinds}) > 1 or bool(numbers))


def negative(a):
    return a < 0


def nought(a):
    return a == 0


def always(step, arrays, slopes):
    return True


def number_first(step, arrays, slopes):
    return not isinstance(step[1][0], Ref)


UNSIGNED = of("uint8", "uint16", "uint32", "uint64")
# (ops, what differs, where, the row of the ledger)
REASONS = (
    ("sort argsort argmax argmin", "values", holds(np.isnan), "sort: where NaN belongs"),
    ("nn.max_pool2d", "values", holds(np.isnan, np.isneginf), "nn.max_pool2d: NaN, -inf"),
    ("math.erf", "values", both(of("float64"), holds(np.isinf)), "math.erf: NaN at infinities"),
    ("cast", "values", holds(negative), "cast: negative floats to unsigned integers"),
    ("math.reduce_euclidean_norm", "values", overflows, "reduce_euclidean_norm: overflow"),
    ("linalg.l2_normalize", "values", of("float16"), "l2_normalize: epsilon is 0 in float16"),
    ("math.cumprod", "slope", holds(nought, np.isnan, np.isinf), "math.cumprod: it divides"),
    ("math.cumprod", "slope", huge, "math.cumprod: sums that overflow in float16"),
    ("nn.moments", "slope", either(holds(np.isinf), steep), "nn.moments: the mean as a constant"),
    ("nn.depthwise_conv2d", "slope", holds(np.isnan, np.isinf), "depthwise_conv2d: NaN in filters"),
    ("nn.relu nn.relu6 nn.crelu", "slope", steep, "parity.root: 0 times infinity"),
    ("math.xlogy math.divide_no_nan", "slope", steep, "parity.root: 0 times infinity"),
    ("add math.multiply_no_nan", "we compute", number_first, "parity.number_first"),
    ("abs sign pow math.squared_difference **", "we compute", UNSIGNED, "parity.of_bytes"),
    ("sort", "gradient", always, "sort: gradients of nothing"),
    ("pad", "gradient", always, "pad: gradients of nothing"),
    ("*", "we refuse", mixed, "test_refused_here"),
    ("einsum", "we refuse", lambda step, arrays, slopes: not arrays[0].size, "test_refused_here"),
)  # fmt: skip


def known(step, what, env, slopes=()):
    """Whether a difference has its reason."""
    arrays = [env[ref] for ref in refs([*step[1], *step[2].values()])]
    return any(
        step[0] in ops.split() and what == word and where(step, arrays, slopes)
        for ops, word, where, _ in REASONS
    )


def blamed(tf, ours, inputs, steps, loosest):
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
        given = [g for g in slopes if g is not None]
        for ref, a, b in zip(refs([*step[1]]), theirs, mine, strict=False):
            if (a is None) != (b is None):
                why = f"{b} for {a}"
            else:
                why = a is not None and differ(tf.convert_to_tensor(a), b, max(loosest, 1e-6))
            if why and not known(step, "slope", arrays, given):
                found.append((step[0], "slope", f"{step} of ${int(ref)}: {why}"))
            elif why:
                found.append(None)
    return found


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


def gradients_differ(tf, ours, inputs, steps, watched, theirs, mine, loosest):
    """What is different of all gradients, and has no reason."""
    for i, a, b in zip(watched, theirs, mine, strict=True):
        if (a is None) != (b is None):
            return [("gradient", "None", f"input {i}: {b} for {a}")]
        if a is not None and (why := differ(tf.convert_to_tensor(a), b, max(loosest, 1e-6))):
            guilty = blamed(tf, ours, inputs, steps, loosest)
            return [g for g in guilty if g] if guilty else [("gradient", "slope", f"{i}: {why}")]
    return []


def compare(tf, ours, seed):
    """[(op, what differs, detail)] of one program."""
    inputs, steps = program(tf, seed)
    watched = [i for i, a in enumerate(inputs) if a.dtype.kind == "f"]
    kinds = {a.dtype.name for a in inputs} | {
        a for step, *_ in steps for a in step[1] if isinstance(a, str)
    }
    loosest = max((tolerance(k) for k in kinds if k.startswith("float")), default=0.0)
    if any(step[0] in ("nn.gelu", "nn.leaky_relu") for step, *_ in steps):
        loosest = max(loosest, 1e-6)  # the ledger: TensorFlow keeps their constants in float32
    theirs, their_slopes = slopes(tf, inputs, steps, inputs, watched)
    mine, my_slopes = slopes(ours, inputs, steps, inputs, watched)
    found, exact, doubtful = [], True, False
    env = dict(enumerate(map(np.asarray, inputs)))
    for (step, _, first), a, b in zip(steps, theirs, mine, strict=False):
        path = step[0]
        doubtful = doubtful or known(step, "values", env)
        if isinstance(a, list):
            env.update(zip(range(first, first + len(a)), map(np.asarray, a), strict=True))
        if isinstance(a, Exception) != isinstance(b, Exception):
            what = "we refuse" if isinstance(b, Exception) else "we compute"
            if not known(step, what, env):
                found.append((path, what, f"{step}: {shown(b)} for {shown(a)}"))
            if what == "we refuse":
                return found
        elif not isinstance(a, Exception):
            for x, y in zip(a, b, strict=True):
                if why := differ(x, y, loosest):
                    if why.startswith("values") and inherited(ours, step, env, a, loosest):
                        doubtful = True
                    else:
                        found.append((path, why.split()[0], f"{step}: {why}"))
                elif exact and np.asarray(x).tobytes() != np.asarray(y).tobytes():
                    exact = False
    if isinstance(their_slopes, Exception):
        if not any(known(step, "gradient", env) for step, *_ in steps):
            found.append(("gradient", "we compute", shown(their_slopes)))
    elif not doubtful and not any(what in ("dtype", "shape", "values") for _, what, _ in found):
        found += gradients_differ(
            tf, ours, inputs, steps, watched, their_slopes, my_slopes, loosest
        )
    if doubtful:
        return [f for f in found if f[1] in ("we compute", "we refuse", "dtype", "shape")]
    if (
        found
        and not exact
        and not isinstance(their_slopes, Exception)
        and rounding_decides(tf, inputs, steps, watched, theirs, their_slopes, loosest)
    ):
        return [f for f in found if f[1] in ("we compute", "dtype", "shape")]
    return found


def inherited(ours, step, env, theirs, loosest):
    """Whether the step gives TensorFlow's values if it is given TensorFlow's arguments."""
    mine = call(ours, step, {i: ours.constant(a) for i, a in env.items()})
    return not any(differ(x, y, loosest) for x, y in zip(theirs, mine, strict=True))


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
        if isinstance(slopes_again, Exception):
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
            differences[path, what] += 1
            if differences[path, what] <= show:
                print(f"program {number}: {path}, {what}: {detail[:400]}", flush=True)
    for (path, what), cases in differences.most_common():
        print(f"{cases} times {path}, {what}")
    print(f"{count} programs, {differences.total()} differences")
    return differences.total()


if __name__ == "__main__":
    main(__doc__, 20000, campaign)
