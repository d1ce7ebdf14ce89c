"""minitensor: TensorFlow's API for convolutional networks, on NumPy, small enough to read.

    >>> import minitensor as tf
    >>> image, kernel = tf.ones([1, 4, 4, 1]), tf.Variable(tf.ones([3, 3, 1, 1]))
    >>> with tf.GradientTape() as tape:
    ...     y = tf.nn.conv2d(image, kernel, strides=1, padding="VALID")
    >>> tape.gradient(y, kernel).shape
    TensorShape([3, 3, 1, 1])

Names, arguments, their order and their defaults are TensorFlow's, at this level and in the
modules `nn`, `math`, `linalg`, `image`, `random`, `data`, `io`, `debugging`, `config` and `keras`.
Beyond TensorFlow: `explain`, `show_graph`, `algorithm`, `to_device`, `check_gradients`,
`nn.conv2d_matrix`, and `models`.
"""

import importlib
from typing import Any

from minitensor import linalg, math, missing, nn, ops
from minitensor import symbolic as _symbolic
from minitensor.array import (
    IndexedSlices,
    boolean_mask,
    broadcast_to,
    cast,
    concat,
    constant,
    convert_to_tensor,
    ensure_shape,
    expand_dims,
    eye,
    fill,
    gather,
    gather_nd,
    identity,
    is_tensor,
    linspace,
    meshgrid,
    one_hot,
    ones,
    ones_like,
    pad,
    range,
    rank,
    repeat,
    reshape,
    reverse,
    roll,
    saturate_cast,
    scatter_nd,
    searchsorted,
    sequence_mask,
    shape,
    size,
    slice,
    split,
    squeeze,
    stack,
    stop_gradient,
    tensor_scatter_nd_add,
    tensor_scatter_nd_max,
    tensor_scatter_nd_min,
    tensor_scatter_nd_sub,
    tensor_scatter_nd_update,
    tile,
    transpose,
    unique,
    unstack,
    where,
    zeros,
    zeros_like,
)
from minitensor.autograd import (
    GradientTape,
    Tensor,
    TensorShape,
    UnconnectedGradients,
    Variable,
    custom_gradient,
    recompute_grad,
    to_device,
)
from minitensor.backend.devices import device
from minitensor.backend.settings import algorithm
from minitensor.dtypes import (
    DType,
    as_dtype,
    bool,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
)
from minitensor.linalg import einsum, matmul, norm, tensordot
from minitensor.math import (
    abs,
    acos,
    acosh,
    add,
    add_n,
    argmax,
    argmin,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    cumsum,
    divide,
    equal,
    exp,
    floor,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    pow,
    reduce_all,
    reduce_any,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_sum,
    round,
    scalar_mul,
    sigmoid,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    truediv,
)
from minitensor.math.clip import clip_by_global_norm, clip_by_norm, clip_by_value
from minitensor.math.elementwise import truncatediv, truncatemod
from minitensor.math.order import argsort, sort
from minitensor.nn.space import batch_to_space, space_to_batch

__version__ = "0.2.0"
newaxis = None
_LAZY = {  # loaded when they are first used: name -> module, and the name in it
    **{
        name: (name, None)
        for name in (
            "autodiff",
            "bitwise",
            "data",
            "distribute",
            "image",
            "keras",
            "models",
            "parity",
            "train",
        )
    },
    **{name: (f"keras.{name}", None) for name in ("initializers", "losses", "metrics")},
    "optimizers": ("keras.optimizers", None),
    "random": ("random", None),
    "constant_initializer": ("keras.initializers", "Constant"),
    "ones_initializer": ("keras.initializers", "Ones"),
    "random_normal_initializer": ("keras.initializers", "RandomNormal"),
    "random_uniform_initializer": ("keras.initializers", "RandomUniform"),
    "zeros_initializer": ("keras.initializers", "Zeros"),
    "bfloat16": ("dtypes", "bfloat16"),
    "TensorSpec": ("data.spec", "TensorSpec"),
    **{
        name: ("autograd.variable", name)
        for name in ("VariableAggregation", "VariableSynchronization")
    },
    "Module": ("module", "Module"),
    "SparseTensor": ("sparse", "SparseTensor"),
    "check_gradients": ("autograd.check", "check_gradients"),
    **{name: ("autograd.graph", name) for name in ("gradients", "hessians")},
    "TensorArray": ("tensor_array", "TensorArray"),
    **{name: (name, None) for name in ("config", "dtypes", "errors", "nest", "sparse", "summary")},
    **{name: (name, None) for name in ("test", "version")},
    "io": ("io", None),
    **{
        name: ("control", name)
        for name in (
            *("case", "cond", "executing_eagerly", "function", "group", "map_fn", "name_scope"),
            *("numpy_function", "print", "py_function", "timestamp", "vectorized_map"),
            "while_loop",
        )
    },
    "debugging": ("debugging", None),
    "explain": ("explain", None),  # a room that is called
    "show_graph": ("explain.graph", "show_graph"),
    "strings": ("strings", None),
}

# What a program sees; the rooms below (ops, backend, ...) are imported by their paths.
__all__ = [
    "DType", "GradientTape", "IndexedSlices", "Module", "SparseTensor", "Tensor", "TensorArray",
    "TensorShape",
    "TensorSpec", "UnconnectedGradients", "Variable", "VariableAggregation",
    "VariableSynchronization", "abs", "acos", "acosh", "add", "add_n", "algorithm", "argmax",
    "argmin", "argsort", "as_dtype", "asin", "asinh", "atan", "atan2", "atanh", "autodiff",
    "batch_to_space", "bitwise", "bool", "boolean_mask", "broadcast_to", "case", "cast",
    "check_gradients", "clip_by_global_norm", "clip_by_norm", "clip_by_value", "concat", "cond",
    "config", "constant", "constant_initializer", "convert_to_tensor", "cos", "cosh", "cumsum",
    "custom_gradient", "data", "debugging", "device", "distribute", "divide", "double",
    "dtypes", "einsum", "ensure_shape", "equal", "errors", "executing_eagerly", "exp",
    "expand_dims", "explain", "eye", "fill", "float16", "float32", "float64", "floor",
    "function", "gather", "gather_nd", "gradients", "greater", "greater_equal", "group", "half",
    "hessians", "identity", "image", "initializers", "int8", "int16", "int32", "int64", "io",
    "is_tensor", "keras", "less", "less_equal", "linalg", "linspace", "logical_and",
    "logical_not", "logical_or", "losses", "map_fn", "math", "matmul", "maximum", "meshgrid",
    "metrics", "minimum", "models", "multiply", "name_scope", "negative", "nest", "newaxis",
    "nn", "norm", "not_equal", "numpy_function", "one_hot", "ones", "ones_initializer",
    "ones_like", "optimizers", "pad", "pow", "print", "py_function", "random",
    "random_normal_initializer", "random_uniform_initializer", "range", "rank",
    "recompute_grad", "reduce_all", "reduce_any", "reduce_logsumexp", "reduce_max",
    "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum", "repeat", "reshape", "reverse",
    "roll", "round", "saturate_cast", "scalar_mul", "scatter_nd", "searchsorted",
    "sequence_mask", "shape", "show_graph", "sigmoid", "sign", "sin", "sinh", "size", "slice",
    "sort", "space_to_batch", "sparse", "split", "sqrt", "square", "squeeze", "stack",
    "stop_gradient",
    "string", "strings", "subtract", "summary", "tan", "tanh", "tensor_scatter_nd_add",
    "tensor_scatter_nd_max", "tensor_scatter_nd_min", "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update", "tensordot", "test", "tile", "timestamp", "to_device", "train",
    "transpose", "truediv", "truncatediv", "truncatemod", "uint8", "uint16", "uint32", "uint64",
    "unique", "unstack", "vectorized_map", "version", "where", "while_loop", "zeros",
    "zeros_initializer", "zeros_like",
]  # fmt: skip

_symbolic.install(globals(), but=("is_tensor",))


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        module, inside = _LAZY[name]
        found = importlib.import_module(f"minitensor.{module}")
        return getattr(found, inside) if inside else found
    raise missing.refused("tf", name, __all__)


def __dir__() -> list[str]:
    """What is there; bfloat16 only with the library that it needs: whoever looks must find."""
    from importlib.util import find_spec

    return [*__all__, *(["bfloat16"] if find_spec("ml_dtypes") else [])]
