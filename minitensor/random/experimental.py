"""What tf.random.experimental calls differently."""

from minitensor import missing
from minitensor.random.generators import (
    Generator,
    create_rng_state,
    get_global_generator,
    set_global_generator,
)
from minitensor.random.stateless import Algorithm, stateless_shuffle
from minitensor.random.stateless import fold_in as stateless_fold_in
from minitensor.random.stateless import split as stateless_split

__all__ = [
    "Algorithm", "Generator", "create_rng_state", "get_global_generator", "set_global_generator",
    "stateless_fold_in", "stateless_shuffle", "stateless_split",
]  # fmt: skip

__getattr__ = missing.refusing("tf.random.experimental", __name__)
