"""The mirror of tf.random: random tensors.

    draws.py         from the one generator that `set_seed` starts anew; numbers are NumPy's
    stateless.py     as a function of a seed of two integers; numbers are TensorFlow's
    generators.py    Generator: a stream of numbers that is an object; numbers are TensorFlow's
    experimental.py  the same under other names

What Philox' bits alone decide is TensorFlow's to the last bit: all integers, uniform numbers,
seeds, permutations; normal numbers but for a last bit in one of fifty. `stateless_gamma`,
`stateless_poisson`, `stateless_binomial` and `Generator.binomial` have TensorFlow's distribution,
not its numbers.
"""

from minitensor import missing
from minitensor.random import experimental
from minitensor.random.draws import (
    categorical,
    gamma,
    normal,
    poisson,
    set_seed,
    shuffle,
    truncated_normal,
    uniform,
)
from minitensor.random.generators import (
    Generator,
    create_rng_state,
    get_global_generator,
    set_global_generator,
)
from minitensor.random.stateless import (
    Algorithm,
    fold_in,
    split,
    stateless_binomial,
    stateless_categorical,
    stateless_gamma,
    stateless_normal,
    stateless_poisson,
    stateless_truncated_normal,
    stateless_uniform,
)

__all__ = [
    "Algorithm", "Generator", "categorical", "create_rng_state", "experimental", "fold_in", "gamma",
    "get_global_generator", "normal", "poisson", "set_global_generator", "set_seed", "shuffle",
    "split", "stateless_binomial", "stateless_categorical", "stateless_gamma", "stateless_normal",
    "stateless_poisson", "stateless_truncated_normal", "stateless_uniform", "truncated_normal",
    "uniform",
]  # fmt: skip

__getattr__ = missing.refusing("tf.random", __name__)
