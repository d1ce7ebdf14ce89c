"""TensorFlow without its faults: where the ledger finds it wrong, the ledger's own proof answers.

Each row of `FAULTS` stands in the ledger (`minitensor parity`, mostly in cases/found.py), whose
proofs are compositions of TensorFlow's simpler ops. So nothing is excused: what may differ from
TensorFlow must be what the proof says.
"""

import numpy as np

from minitensor.parity.proofs import conv, images, other, pool


class Mended:
    """TensorFlow, its functions mended where a row of FAULTS holds."""

    def __init__(self, tf):
        self.tf = tf

    def __getattr__(self, name):
        return getattr(self.tf, name)

    def mended(self, path, function):
        """The function of a path: a row's proof where the row holds, else TensorFlow's own."""
        rows = [(where, proof) for ops, where, proof in FAULTS if path in ops.split()]

        def chosen(*args, **kwargs):
            for where, proof in rows:
                if where(*args, **kwargs):
                    more = {"name": path} if proof in NAMED else {}
                    return proof(self.tf, *args, **kwargs, **more)
            return function(*args, **kwargs)

        return chosen if rows else function


# ----- where a row holds: functions of a call's arguments -----


def arrays(args):
    """The tensors among arguments, as arrays."""
    parts = [part for a in args for part in (a if isinstance(a, list) else [a])]
    return [np.asarray(part) for part in parts if hasattr(part, "dtype")]


def holds(*tests):
    """Whether an element of a float tensor passes one of the tests."""
    return lambda *args, **_: any(
        test(a.astype("float64")).any()
        for a in arrays(args)
        for test in tests
        if a.dtype.kind in "fV"
    )


def of(*dtypes):
    """Whether the first tensor has one of these types."""
    return lambda *args, **_: [a.dtype.name for a in arrays(args)][:1] in [[d] for d in dtypes]


def both(one, other):
    return lambda *args, **kwargs: one(*args, **kwargs) and other(*args, **kwargs)


def either(one, other):
    return lambda *args, **kwargs: one(*args, **kwargs) or other(*args, **kwargs)


def floats(*args, **kwargs):
    """Whether it is a call of float tensors, with something in them."""
    return all(a.dtype.kind == "f" and a.size for a in arrays(args))


def some(*args, **kwargs):
    return floats(args[0])


def empty(*args, **kwargs):
    return not all(a.size for a in arrays(args))


def number_first(x, y):
    return not hasattr(x, "dtype") and hasattr(y, "dtype")


def none_of_them(x, k):
    return k == 0 and np.asarray(x).dtype.kind == "f"


def nought_logits(labels, logits, pos_weight):
    return floats(labels, logits) and (np.asarray(logits) == 0).any()


def weighted_at_nought(tf, labels, logits, pos_weight):
    """The proof where a logit is 0, TensorFlow where it is not."""
    nought = logits == 0
    at = other.weighted_cross_entropy_with_logits(
        tf, labels, tf.where(nought, logits, 0), pos_weight
    )
    beside = tf.nn.weighted_cross_entropy_with_logits(
        tf.where(nought, tf.zeros_like(labels), labels), tf.where(nought, 1, logits), pos_weight
    )
    return tf.where(nought, at, beside)


def whole_bytes(*args):
    """Whether it is computed with bytes, and with nothing that is no whole number."""
    return of("uint8")(*args) and all(hasattr(a, "dtype") or isinstance(a, int) for a in args)


def not_numbers(x, k):
    return k <= x.shape[-1] and NOT_A_NUMBER(x)


def empty_constant(x, paddings, mode="CONSTANT", **_):
    return mode == "CONSTANT" and empty(x)


def negative(a):
    return a < 0


def number_as_tensor(tf, x, y, name):
    return other.number_first(tf, y, name, int(x) if isinstance(x, bool) else x)


def curved(x, size, method):
    return method != "nearest"


def adjust_contrast(tf, x, factor):
    """The proof in float32, in which it is computed for any type."""
    return tf.cast(images.adjust_contrast(tf, tf.cast(x, "float32"), factor), x.dtype)


def wide_lrn(tf, x, name):
    return other.widened(tf, x, name=name, proof=other.lrn)


SCATTER = "tensor_scatter_nd_"
NOT_A_NUMBER, LOST = holds(np.isnan), holds(np.isnan, np.isinf)
OF_OPERATORS = {"**": "pow"}


def of_bytes(tf, *args, name):
    return other.of_bytes(
        tf, *(tf.cast(a, "uint8") for a in args), name=OF_OPERATORS.get(name, name)
    )


# (ops, where TensorFlow is wrong or cannot, the ledger's proof)
FAULTS = (
    ("sort", either(NOT_A_NUMBER, empty), other.sort),  # where NaN belongs; nothing has no slope
    ("math.top_k", either(not_numbers, none_of_them), other.top_k),
    ("argsort", NOT_A_NUMBER, other.argsort),
    ("searchsorted", NOT_A_NUMBER, other.searchsorted),
    (f"{SCATTER}max {SCATTER}min", NOT_A_NUMBER, other.scatter_extreme),
    ("nn.max_pool1d nn.max_pool2d", holds(np.isnan, np.isneginf), pool.max_pool),
    ("nn.max_pool3d", some, pool.max_pool),  # each of equal maxima gets all; no float64, float16
    ("nn.avg_pool3d", of("float16", "float64"), pool.avg_pool),  # no kernel
    ("nn.local_response_normalization", of("float64"), other.lrn),  # no kernel
    ("nn.local_response_normalization", of("float16"), wide_lrn),  # squares overflow
    ("math.erfinv math.rint", of("float16"), other.widened),  # no kernel
    ("math.bessel_i0 math.bessel_i1", floats, other.bessel),  # NaN at infinities, slope at 0
    (
        "nn.softmax_cross_entropy_with_logits",
        either(floats, empty),
        other.softmax_cross_entropy_with_logits,
    ),
    (
        "nn.sparse_softmax_cross_entropy_with_logits",
        empty,
        other.sparse_softmax_cross_entropy_with_logits,
    ),
    (
        "nn.weighted_cross_entropy_with_logits",
        nought_logits,
        weighted_at_nought,
    ),
    ("image.resize", curved, images.resize),  # weights from a table; inf - inf
    ("image.adjust_contrast", some, adjust_contrast),  # no slope; nothing in float16
    ("nn.dilation2d", LOST, pool.dilation2d),  # NaN and -inf dropped
    ("gather_nd scatter_nd", empty, other.of_nothing),  # nothing from nothing is refused
    (f"{SCATTER}add {SCATTER}sub {SCATTER}update", empty, other.of_nothing),
    (f"{SCATTER}max {SCATTER}min", empty, other.of_nothing),
    ("math.erf", both(of("float64"), holds(np.isinf)), other.erf),  # NaN at infinities
    ("cast", holds(negative), other.cast),  # to unsigned integers
    ("math.reduce_euclidean_norm", of("uint8", "int8"), other.reduce_euclidean_norm),  # overflows
    ("linalg.l2_normalize", of("float16"), other.l2_normalize),  # epsilon is 0
    ("math.cumprod", some, other.cumprod),  # slopes divide by elements, sums of them overflow
    ("nn.moments", some, other.moments),  # the mean is a constant for its slopes
    ("nn.depthwise_conv2d", LOST, conv.depthwise_conv2d),  # NaN in filters spoils other pixels
    ("nn.separable_conv2d", LOST, conv.separable_conv2d),
    ("nn.conv3d", LOST, conv.convolution),
    ("nn.relu nn.relu6 nn.crelu math.reciprocal_no_nan", floats, other.taken),
    ("math.xlogy math.xlog1py math.xdivy math.divide_no_nan", floats, other.taken),
    (
        "add math.multiply_no_nan math.truediv",
        number_first,
        number_as_tensor,
    ),  # a number of another type
    ("abs sign pow math.squared_difference **", whole_bytes, of_bytes),  # no kernel
    ("pad", empty_constant, other.pad),  # nothing has no slope
    ("nn.gelu", of("float64"), other.gelu),  # constants in float32
    ("nn.leaky_relu", of("float64"), other.leaky_relu),
)
NAMED = (other.scatter_extreme, other.taken, other.widened, other.bessel, other.of_nothing)
NAMED += (number_as_tensor, wide_lrn, of_bytes)
