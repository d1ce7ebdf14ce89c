"""The mirror of keras.initializers: what weights start from.

    constant_initializers.py   zeros, ones, a constant, the identity
    random_initializers.py     random numbers of a given variance, or of one that suits a layer

Without a seed each call draws new numbers from the generator that `tf.random.set_seed` starts;
Keras gives the same numbers whenever one initializer is called again. Not here: STFT.

Source of all: keras.initializers, by the same names, and the papers named.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from minitensor import missing
from minitensor.autograd.tensor import ArrayLike
from minitensor.keras.initializers.constant_initializers import (
    Constant,
    Identity,
    Initializer,
    Ones,
    Zeros,
)
from minitensor.keras.initializers.random_initializers import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from minitensor.keras.serialization import identifiers, objects

# All that is imported above and is an initializer.
_CLASSES = [x for x in vars().values() if inspect.isclass(x) and issubclass(x, Initializer)]

constant, identity, ones, zeros = Constant, Identity, Ones, Zeros
orthogonal, random_normal, random_uniform = Orthogonal, RandomNormal, RandomUniform
truncated_normal, variance_scaling = TruncatedNormal, VarianceScaling
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal

_KNOWN = identifiers.table(
    *_CLASSES,
    IdentityInitializer=Identity,
    OrthogonalInitializer=Orthogonal,
    normal=RandomNormal,
    uniform=RandomUniform,
    one=Ones,
    zero=Zeros,
)


def get(identifier: Any) -> Any:
    """The initializer that a name, a config, a class or an array stands for; None stays None.

    Raises:
        ValueError: there is none of this name.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.initializers.get("ones")((2,)).numpy()
        array([1., 1.], dtype=float32)
    """
    if isinstance(identifier, ArrayLike | np.ndarray | np.generic):
        return Constant(identifier)
    return None if identifier is None else identifiers.resolve("initializer", _KNOWN, identifier)


def serialize(initializer: Any) -> Any:
    """What `deserialize` makes it of again."""
    return objects.serialize(initializer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The initializer of a config."""
    return identifiers.resolve("initializer", _KNOWN | (custom_objects or {}), config)


__getattr__ = missing.refusing("tf.keras.initializers", __name__)
