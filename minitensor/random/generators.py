"""A stream of random numbers as an object: what it draws depends on its state alone."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, Variable, as_tensor, to_device_of
from minitensor.backend import philox
from minitensor.dtypes import as_dtype, float32, int32, int64, uint64
from minitensor.nn import checks
from minitensor.random import draws, stateless
from minitensor.random.stateless import algorithm

_SIZE = 3  # of a state: the counter's lower and upper 64 bits, and the key
_PER_NUMBER = 256  # blocks that a state goes on by for each number, used or not
_SPAN = 1 << 64


class Generator:
    """Random numbers one after the other, the same as TensorFlow's from the same seed.

    Args:
        copy_from: a generator whose state is copied; or
        state: three int64, counter and key, or a Variable of them, which is then used itself; and
        alg: "philox", "auto_select" or a `random.Algorithm`.

    In all methods:
        shape: the sizes of the axes. mean, stddev, minval, maxval: numbers, or tensors that
        broadcast. dtype: the element type. name: ignored.

    Raises:
        ValueError: a state of another shape, an unknown algorithm, or neither copy nor state.

    Example:
        >>> import minitensor as tf
        >>> g = tf.random.Generator.from_seed(1234)
        >>> g.uniform([3], maxval=10, dtype="int32").numpy()
        array([9, 6, 4], dtype=int32)
        >>> g.state.numpy()
        array([2002,    0,    0])

    Source: tf.random.Generator
    """

    def __init__(self, copy_from: Any = None, state: Any = None, alg: Any = None) -> None:
        if copy_from is not None:
            if state is not None or alg is not None:
                raise ValueError(
                    "Generator: copy_from brings its own state and alg; leave them out"
                )
            state, alg = copy_from.state.numpy(), copy_from.algorithm
        if state is None or alg is None:
            raise ValueError("Generator: give copy_from, or state and alg; from_seed makes both")
        self._alg = algorithm("Generator", alg)
        if not isinstance(state, Variable):
            state = Variable(_state(state), trainable=False, name="StateVar")
        self._state_var = _checked(state)

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """A generator that starts at a place that a seed decides: an integer or several."""
        alg = "philox" if alg is None else alg
        return cls(state=create_rng_state(seed, alg), alg=alg)

    @classmethod
    def from_state(cls, state: Any, alg: Any) -> Generator:
        """A generator that goes on where another one's state was."""
        return cls(state=state, alg=alg)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """A generator that starts at another place each time."""
        return cls(state=np.frombuffer(os.urandom(8 * _SIZE), np.int64), alg=alg or "philox")

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any) -> Generator:
        """A generator of a key, one integer, at a counter, two of them."""
        return cls(state=_joined(key, counter), alg=alg)

    def reset(self, state: Any) -> None:
        """Goes to another state."""
        self._state_var.assign(_checked(as_tensor(_state(state))))

    def reset_from_seed(self, seed: Any) -> None:
        """Goes to where a seed begins."""
        self.reset(create_rng_state(seed, self._alg))

    def reset_from_key_counter(self, key: Any, counter: Any) -> None:
        """Goes to a counter, two integers, under a key, one of them."""
        self.reset(_joined(key, counter))

    @property
    def state(self) -> Variable:
        """The Variable with the state: counter and key."""
        return self._state_var

    @property
    def algorithm(self) -> int:
        """The number of the algorithm, as in `random.Algorithm`."""
        return self._alg

    @property
    def key(self) -> Tensor:
        """The part of the state that stays while numbers are drawn."""
        return self._state_var[-1]

    def skip(self, delta: Any) -> Tensor:
        """Goes on as if `delta` numbers had been drawn; returns the state before."""
        before = self._state_var.read_value()
        place = _stream(before)
        steps = checks.number("Generator.skip", "delta", delta, 0) * _PER_NUMBER
        self._state_var.assign(_state_at(place.counter + steps, place.key))
        return before

    def normal(
        self,
        shape: Any,
        mean: Any = 0.0,
        stddev: Any = 1.0,
        dtype: Any = float32,
        name: str | None = None,
    ) -> Tensor:
        """Gaussian numbers: y = mean + stddev * z with z standard normal."""
        place = self._take("normal", shape)
        return stateless.normal_from(place, "normal", shape, mean, stddev, dtype)

    def truncated_normal(
        self,
        shape: Any,
        mean: Any = 0.0,
        stddev: Any = 1.0,
        dtype: Any = float32,
        name: str | None = None,
    ) -> Tensor:
        """Gaussian numbers at most 2 standard deviations from the mean."""
        place = self._take("truncated_normal", shape)
        return stateless.normal_from(place, "truncated_normal", shape, mean, stddev, dtype)

    def uniform(
        self,
        shape: Any,
        minval: Any = 0,
        maxval: Any = None,
        dtype: Any = float32,
        name: str | None = None,
    ) -> Tensor:
        """Numbers from minval on and below maxval; None and None: all integers of the dtype."""
        return stateless.uniform_from(self._take("uniform", shape), shape, minval, maxval, dtype)

    def uniform_full_int(self, shape: Any, dtype: Any = uint64, name: str | None = None) -> Tensor:
        """All integers of a type of 32 or 64 bits, equally likely."""
        if as_dtype(dtype).kind not in "iu":
            raise TypeError(f"uniform_full_int: dtype {as_dtype(dtype).name} is no integer type")
        return self.uniform(shape, None, None, dtype)

    def binomial(
        self, shape: Any, counts: Any, probs: Any, dtype: Any = int32, name: str | None = None
    ) -> Tensor:
        """How many of `counts` trials succeed, each with `probs`; not TensorFlow's numbers."""
        rng = stateless.numbers_of(self._take("binomial", shape))
        return draws.binomial_by(rng, "binomial", shape, counts, probs, dtype)

    def make_seeds(self, count: Any = 1) -> Tensor:
        """(2, count) int64: column by column a seed for the functions called stateless."""
        keys = self.uniform_full_int([checks.number("make_seeds", "count", count, 1)], int64)
        return to_device_of(np.stack([keys.numpy(), np.zeros(keys.shape, np.int64)]))

    def split(self, count: Any = 1) -> list[Generator]:
        """New generators that are independent of each other and of this one."""
        keys = self.make_seeds(count).numpy()[0].tolist()
        return [Generator(state=[0, 0, key], alg=self._alg) for key in keys]

    def _trackable_children(self) -> dict[str, Variable]:
        """What a checkpoint keeps."""
        return {"_state_var": self._state_var}

    def _take(self, op: str, shape: Any) -> philox.Stream:
        """The place for a tensor of numbers; the state goes on."""
        sizes = checks.numbers(op, "shape", shape)
        return _stream(self.skip(int(np.prod(sizes, dtype=np.int64))))


def create_rng_state(seed: Any, alg: Any) -> Tensor:
    """The state at which a generator of this seed begins: the seed's lower 192 bits.

    Args:
        seed: an integer, or a list or vector of them.
        alg: "philox", "auto_select" or a `random.Algorithm`.

    Returns:
        (3,) int64: the counter's lower and upper half, and the key.

    Raises:
        TypeError: a seed that is no integer.
        ValueError: another algorithm.

    Example:
        >>> import minitensor as tf
        >>> tf.random.create_rng_state(1234, "philox").numpy()
        array([1234,    0,    0])

    Source: tf.random.create_rng_state
    """
    algorithm("create_rng_state", alg)
    if isinstance(seed, int):
        parts = [seed >> 64 * i & _SPAN - 1 for i in range(_SIZE)]
    else:
        parts = np.asarray(checks.tensor("create_rng_state", "seed", seed, "iu")).ravel().tolist()
        parts = [0] * (_SIZE - len(parts)) + parts[:_SIZE]
    return to_device_of(_state(parts))


_global: Generator | None = None


def get_global_generator() -> Generator:
    """The generator that a whole program shares; it starts at another place each time.

    Example:
        >>> import minitensor as tf
        >>> tf.random.get_global_generator().normal([2]).shape
        TensorShape([2])

    Source: tf.random.get_global_generator
    """
    global _global
    if _global is None:
        _global = Generator.from_non_deterministic_state()
    return _global


def set_global_generator(generator: Generator) -> None:
    """Makes a generator the one that a whole program shares.

    Args:
        generator: a Generator.

    Example:
        >>> import minitensor as tf
        >>> tf.random.set_global_generator(tf.random.Generator.from_seed(1))
        >>> tf.random.get_global_generator().state.numpy()
        array([1, 0, 0])

    Source: tf.random.set_global_generator
    """
    global _global
    if not isinstance(generator, Generator):
        raise TypeError(f"set_global_generator: got {generator!r}, not a random.Generator")
    _global = generator


def _state(parts: Any) -> np.ndarray:
    """Integers of 64 bits, with a sign or without, as int64."""
    if isinstance(parts, list | tuple):
        parts = np.array([int(part) & _SPAN - 1 for part in parts], np.uint64).astype(np.int64)
    return np.array(checks.tensor("Generator", "state", parts, "iu").numpy().astype(np.int64))


def _checked(state: Any) -> Any:
    if state.shape != (_SIZE,) or state.dtype != int64:
        raise ValueError(
            f"Generator: state must be ({_SIZE},) int64, got {state.dtype.name} {state.shape}"
        )
    return state


def _state_at(counter: int, key: int) -> np.ndarray:
    return _state([counter, counter >> 64, key])


def _joined(key: Any, counter: Any) -> np.ndarray:
    """The state of a key and a counter."""
    parts = (np.asarray(as_tensor(part)) for part in (counter, key))
    return _state([int(n) for part in parts for n in part.ravel()])


def _stream(state: Tensor) -> philox.Stream:
    low, high, key = (int(part) & _SPAN - 1 for part in state.numpy().tolist())
    return philox.Stream(key, low | high << 64)
