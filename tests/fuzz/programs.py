"""Random programs of 3 to 12 ops, drawn while TensorFlow runs them.

Most calls are legal and some are not, because a call is drawn for the values that are there. What
TensorFlow computes and we refuse (tests/parity/test_refused_here.py) counts as refused.
"""

import functools
import operator

import numpy as np
from mended import Mended

FLOATS = ["float64"] * 6 + ["float32"] * 3 + ["float16"]
INTS = ["int32", "int64", "uint8", "int8"]


def words(text):
    return text.split()


UNARY = words("""
abs negative sign square sqrt exp sin cos tan tanh atan sigmoid round floor math.ceil
math.log math.log1p math.expm1 math.rsqrt math.reciprocal math.erf math.softplus
math.log_sigmoid math.sinh math.cosh math.asin nn.relu nn.relu6 nn.elu nn.selu
nn.leaky_relu nn.softsign nn.silu nn.gelu nn.crelu nn.softmax nn.log_softmax math.is_nan
math.is_inf math.is_finite zeros_like ones_like identity stop_gradient rank size shape
linalg.l2_normalize math.acosh math.asinh math.atanh math.erfc math.erfinv math.bessel_i0
math.bessel_i0e math.bessel_i1 math.bessel_i1e math.reciprocal_no_nan math.rint nn.l2_loss
nn.zero_fraction
""")
BINARY = words("""
add subtract multiply divide maximum minimum pow math.squared_difference math.floordiv
math.floormod math.mod math.divide_no_nan math.multiply_no_nan math.xlogy less less_equal
greater greater_equal equal not_equal atan2 math.xdivy math.xlog1py math.truediv
""")
REDUCE = words("""
reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_logsumexp math.reduce_std
math.reduce_variance norm math.reduce_euclidean_norm reduce_any reduce_all
math.count_nonzero
""")
PICTURES = words("""
space_to_depth depth_to_space extract_patches resize flip_left_right rot90 dilation2d
max_pool_with_argmax atrous_conv2d adjust_contrast total_variation sobel_edges
image_gradients conv1d_transpose per_image_standardization
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

    def new(self, shape, dtype=None, finite=False):
        """Another input, of small numbers that are exact in every dtype; ties and zeros happen."""
        dtype = dtype or self.kind
        if dtype == "bool":
            array = self.rng.integers(0, 2, shape).astype(bool)
        else:
            low = 0 if dtype[0] == "u" else -6
            array = self.rng.integers(low, 7, shape) / (2 if dtype[0] == "f" else 1)
            array = array.astype(dtype)
        if dtype[0] == "f" and self.rarely(40) and array.size and not finite:
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
    function, args, kwargs = spelled_out(tf, step, values)
    result = function(*args, **kwargs)
    if tf.__name__ == "tensorflow":
        refused_here(step, values)
    found = list(result) if isinstance(result, list | tuple) else [result]
    return [tf.convert_to_tensor(value) for value in found]


def spelled_out(tf, step, values):
    """The function that a step calls, and its arguments with values for numbers of values."""
    path, args, kwargs = step

    def there(value):
        if isinstance(value, Ref):
            return values[value]
        return [there(v) for v in value] if isinstance(value, list) else value

    function = OPERATORS.get(path) or functools.reduce(getattr, path.split("."), tf)
    if isinstance(tf, Mended):
        function = tf.mended(path, function)
    return function, [there(a) for a in args], {k: there(v) for k, v in kwargs.items()}


def refused_here(step, values):
    """Refuses what we refuse, though TensorFlow computes it: tests/parity/test_refused_here.py."""
    path, args, _ = step
    if path == "*":
        kinds = [values[a].dtype.name for a in args if isinstance(a, Ref)]
        numbers = [a for a in args if not isinstance(a, Ref | bool)]
        if "bool" in kinds and (numbers or len({*kinds}) > 1):
            raise TypeError("a truth value times a number")
    if path == "einsum" and values[args[1]].shape[-1] != values[args[2]].shape[0]:
        raise ValueError("unlike sizes, one of them 0")
    if path == "reverse" and values[args[0]].shape.rank:
        np.zeros(values[args[0]].shape).sum(tuple(step[2]["axis"]))  # an axis that does not exist


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


def scattering(d):
    x = d.any("f")
    if not d.values[x].shape.rank:
        x = d.new((3, 2), d.values[x].dtype.name)
    shape, kind = [int(n) for n in d.values[x].shape], d.values[x].dtype.name
    name = d.one(["gather_nd", "scatter_nd", "add", "sub", "max", "min"])
    depth = int(d.rng.integers(1, len(shape) + 1))
    if 0 in shape[:depth]:
        return None
    places = [[int(d.rng.integers(n)) for n in shape[:depth]] for _ in range(d.rng.integers(1, 4))]
    if name == "gather_nd":
        return d.step(name, x, places)
    updates = d.new([len(places), *shape[depth:]], kind)
    if name == "scatter_nd":
        return d.step(name, places, updates, shape)
    return d.step(f"tensor_scatter_nd_{name}", x, places, updates)


def matrices(d):
    x = d.any("f")
    shape, kind = [int(n) for n in d.values[x].shape], d.values[x].dtype.name
    if len(shape) < 2:
        shape = [*d.shape()[:1], 2, 3]
        x = d.new(shape, kind)
    name = d.one(["diag_part", "set_diag", "band_part", "trace", "matvec", "diag"])
    if name == "set_diag":
        d.step("linalg.set_diag", x, d.new([*shape[:-2], min(shape[-2:])], kind))
    elif name == "band_part":
        d.step("linalg.band_part", x, *(int(n) for n in d.rng.integers(-1, 3, 2)))
    elif name == "matvec":
        d.step("linalg.matvec", x, d.new([*shape[:-2], shape[-1] + d.rarely(15)], kind))
    else:
        d.step(f"linalg.{name}", x)


def counting(d):
    name = d.one(["and", "or", "xor", "invert", "bincount", "searchsorted", "truncate"])
    if name == "bincount":
        n = int(d.rng.integers(1, 6))
        d.step("math.bincount", d.rng.integers(0, 4, n).tolist(), minlength=int(d.rng.integers(6)))
    elif name == "searchsorted":
        x = d.new((int(d.rng.integers(1, 5)),))
        d.step("sort", x)
        d.step("searchsorted", Ref(len(d.values) - 1), d.new((3,)), side=d.one(["left", "right"]))
    elif name == "truncate":
        d.step(d.one(["truncatediv", "truncatemod"]), (x := d.any("i")), d.beside(x))
    else:
        x = d.any("i", "u")
        more = [] if name == "invert" else [d.new([], d.values[x].dtype.name)]
        d.step(f"bitwise.{'' if name == 'invert' else 'bitwise_'}{name}", x, *more)


def volumes(d):
    kind, c = d.kind, int(d.rng.integers(1, 3))
    axes = int(d.one([1, 3]))
    x = d.new((1, *(int(n) for n in d.rng.integers(3, 5, axes)), c), kind)
    k, s = int(d.rng.integers(1, 3)), int(d.rng.integers(1, 3))
    s, pad = min(s, k), d.one(["SAME", "VALID"])  # beyond the window: see the ledger
    name = d.one(["conv", "avg_pool", "max_pool", "separable", "lrn"])
    if name == "conv":
        strides = s if axes == 1 else [1, s, s, s, 1]
        d.step(f"nn.conv{axes}d", x, d.new((*[k] * axes, c, 2), kind), strides, pad)
    elif name in ("avg_pool", "max_pool"):
        d.step(f"nn.{name}{axes}d", x, k, s, pad)
    else:
        x = d.new((1, *(int(n) for n in d.rng.integers(3, 5, 2)), c), kind)
        if name == "separable":
            w = d.new((k, k, c, 1), kind), d.new((1, 1, c, 2), kind)
            d.step("nn.separable_conv2d", x, *w, [1, s, s, 1], pad)
        else:
            d.step("nn.local_response_normalization", x)


def losses(d):
    x = d.any("f")
    shape, kind = [int(n) for n in d.values[x].shape], d.values[x].dtype.name
    name = d.one(["softmax", "sigmoid", "weighted", "sparse_softmax", "batch_normalization"])
    if name == "batch_normalization":
        given = [d.new(shape[-1:], kind, finite=True) for _ in range(4)]  # no inf - inf
        d.step("square", given[1])
        given[1] = Ref(len(d.values) - 1)
        d.step("nn.batch_normalization", x, *given, 1e-3)
    else:
        labels = d.new(shape[:-1], "int32") if name == "sparse_softmax" else d.new(shape, kind)
        more = [d.one([1.0, 0.5, 2.0])] if name == "weighted" else []
        d.step(f"nn.{name}_cross_entropy_with_logits", labels, x, *more)


def slicing(d):
    x = d.any(*("fib" if d.rarely(3) else "f"))
    shape, kind = [int(n) for n in d.values[x].shape], d.values[x].dtype.name
    name = d.one(["slice", "top_k", "update", "clip_by_norm", "softmax", "flip", "meshgrid"])
    if name == "slice" and shape:
        begin = [int(d.rng.integers(n + 1)) for n in shape]
        size = [
            int(d.rng.integers(-1, n - b + 1 + d.rarely()))
            for n, b in zip(shape, begin, strict=True)
        ]
        d.step("slice", x, begin, size)
    elif name == "top_k":
        d.step("math.top_k", x, int(d.rng.integers(3)))
    elif name == "update" and shape and 0 not in shape:
        places = d.rng.permutation(shape[0])[: d.rng.integers(1, 3)].tolist()
        updates = d.new([len(places), *shape[1:]], kind)
        d.step("tensor_scatter_nd_update", x, [[i] for i in places], updates)
    elif name == "softmax":
        d.step(d.one(["nn.softmax", "nn.log_softmax"]), x, d.axis(x))
    elif name == "meshgrid":
        d.step("meshgrid", x, d.new((2,), kind))
    elif name == "clip_by_norm":
        d.step("clip_by_norm", x, d.one([0.5, 2.0, 100.0]), d.axis(x, many=True))


def pictures(d):
    c, kind = int(d.rng.integers(1, 3)), d.kind
    x = d.new((1, *(2 * int(n) for n in d.rng.integers(1, 4, 2)), c), kind)
    name = d.one(PICTURES)
    k, s, pad = int(d.rng.integers(1, 3)), int(d.rng.integers(1, 3)), d.one(["SAME", "VALID"])
    if name == "space_to_depth":
        d.step("nn.space_to_depth", x, 2)
    elif name == "depth_to_space":
        d.step("nn.depth_to_space", d.new((1, 2, 3, 4 * c), kind), 2)
    elif name == "extract_patches":
        d.step("image.extract_patches", x, [1, k, k, 1], [1, s, s, 1], [1, 1, 1, 1], pad)
    elif name == "resize":
        method = d.one(["bilinear", "nearest", "bicubic"])
        d.step("image.resize", x, d.rng.integers(1, 7, 2).tolist(), method)
    elif name == "dilation2d":
        w = d.new((k, k, c), kind)
        d.step("nn.dilation2d", x, w, [1, s, s, 1], pad, "NHWC", [1, 1, 1, 1])
    elif name == "max_pool_with_argmax":
        d.step("nn.max_pool_with_argmax", x, k, s, pad)
    elif name == "atrous_conv2d":
        d.step("nn.atrous_conv2d", x, d.new((k, k, c, 2), kind), s, "SAME")
    elif name == "conv1d_transpose":
        x = d.new((1, 3, c), kind)
        size = [1, 3 * s if pad == "SAME" else 2 * s + k, 2]
        d.step("nn.conv1d_transpose", x, d.new((k, 2, c), kind), size, s, pad)
    else:
        d.step(f"image.{name}", x, *([d.one([0.5, 2.0])] if name == "adjust_contrast" else []))


NEXT = [unary] * 4 + [binary] * 4 + [python] * 3 + [reduction] * 3 + [scan] * 2
NEXT += [moving] * 3 + [joining] * 2 + [picking] * 3 + [product] * 2 + [windows]
NEXT += [scattering, matrices, counting, volumes, losses, slicing, pictures]


# ----- a whole program -----


def program(tf, seed):
    """(inputs, steps), inputs numbered first; a step is (call, number of results, first result)."""
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
