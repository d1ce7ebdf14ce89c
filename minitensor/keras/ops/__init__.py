"""The mirror of keras.ops: functions of tensors, and of the symbolic tensors of a model.

table.py      what a call on symbolic tensors becomes; tf_function.py  the same of tf.*
activations.py  and of keras.activations
promotion.py  in which element type values meet
left_out.py   what is not there
core.py  math.py  nn.py  linalg.py  image.py  einops.py  and numpy/: the functions
projection.py images through a transform

Names, arguments, their order and their defaults are Keras', and so is the promotion of types: 1
beside integers is an integer, 1.5 beside them makes floats.

    >>> import minitensor as tf
    >>> tf.keras.ops.mean([[1, 2], [3, 5]], axis=0).numpy()
    array([2. , 3.5], dtype=float32)
    >>> x = tf.keras.Input((3,))
    >>> tf.keras.Model(x, tf.keras.ops.mean(x, axis=1))([[1.0, 2.0, 3.0]]).numpy()
    array([2.], dtype=float32)
"""

from typing import Any

from minitensor.keras.ops import core, einops, image, linalg, math, nn, numpy
from minitensor.keras.ops.activations import operation_for
from minitensor.keras.ops.core import *
from minitensor.keras.ops.einops import *
from minitensor.keras.ops.left_out import LEFT_OUT, refusing
from minitensor.keras.ops.linalg import *
from minitensor.keras.ops.math import *
from minitensor.keras.ops.nn import *
from minitensor.keras.ops.numpy import *
from minitensor.keras.ops.table import found
from minitensor.keras.ops.tf_function import TFOpLambda

__all__ = [
    *core.__all__, *einops.__all__, "image", "linalg", *linalg.__all__, *math.__all__, "nn",
    *nn.__all__, "numpy", *numpy.__all__,
]  # fmt: skip
__getattr__ = refusing("keras.ops")


def operation_of(entry: dict[str, Any]) -> Any:
    """The operation that an entry of a config describes; None if it is something else."""
    of_keras_2 = entry.get("class_name") in ("TFOpLambda", "SlicingOpLambda")
    cls = TFOpLambda if of_keras_2 else found(entry)
    if cls is None:
        return None
    config = entry.get("config")
    if not isinstance(config, dict):
        raise ValueError(f"Expected 'config' to be a dict for {cls.__name__}. Received: {config!r}")
    try:
        return cls.from_config(config)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{cls.__name__} cannot be made from its config: {error}") from error
