"""One parity case as pure data: an op's name, its tensor arguments and its settings.

Both sides draw the same numbers from the case's own seed, so nothing but the case travels to the
process that runs TensorFlow. What an op is (an `Op`: its tolerance family, its proof) stands in
`ops.py`, how it is called in `driver.py`; the table itself is `cases/`.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FLOATS = ("float64", "float32")
HALVES = ("float16", "bfloat16")
GRID = 2.0**-20  # 22-bit values: exact in float32 and float64, the same on every machine


@dataclass(frozen=True)
class T:
    """One tensor argument: a shape and the kind of values it holds.

    Args:
        shape: sizes.
        kind: "real" in (-2, 2), "wide" in (-8, 8), "positive" in [0.5, 2), "unit" in (-0.9, 0.9),
            "share" in [0, 1), "ties" whole numbers -2 ... 2, "distinct" a shuffled grid, "below"
            integers in [0, high), "truth" booleans, "probabilities" positive rows that sum to one,
            "given" the numbers of `values`.
        high: the bound of "below".
        values: the numbers of "given", in row-major order.
        dtype: a fixed dtype; empty: the dtype the case is run in.
        constant: no gradient is asked for.
    """

    shape: tuple[int, ...]
    kind: str = "real"
    high: int = 0
    values: tuple[float, ...] = ()
    dtype: str = ""
    constant: bool = False

    def __str__(self) -> str:
        shape = str(list(self.shape)).replace(" ", "")
        return f"{shape}{{{', '.join(f'{v:g}' for v in self.values)}}}" if self.values else shape


@dataclass(frozen=True)
class Case:
    """One call of one op.

    Args:
        op: the path of the function under `tf` and under `minitensor`, such as "nn.conv2d".
        tensors: the tensor arguments.
        args: the positional arguments; "$0" stands for the first tensor, also inside lists.
        settings: the keyword arguments.
        order: the highest order of differentiation, 0 to 2.
        dtypes: where the case is run.
        composition: for an op that TensorFlow has not: the same out of simpler ops, a function of
            tf and of the op's arguments. Instead of TensorFlow's answer, its answer is the proof.
    """

    op: str
    tensors: tuple[T, ...]
    args: tuple[Any, ...]
    settings: dict[str, Any]
    order: int = 2
    dtypes: tuple[str, ...] = FLOATS
    composition: Callable[..., Any] | None = field(default=None, compare=False)

    @functools.cached_property
    def key(self) -> str:
        """What names the case in a recording: a hash of all that can change its answer."""
        fields = dataclasses.asdict(self)
        del fields["dtypes"], fields["composition"]
        return hashlib.sha1(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:12]

    def orders(self, dtype: str) -> int:
        """The highest order to run in `dtype`: halves stop at the first, integers at the values."""
        if dtype in FLOATS:
            return self.order
        return min(self.order, 1) if dtype in HALVES else 0

    def __str__(self) -> str:
        shapes = " ".join(map(str, self.tensors))
        words = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        extra = "" if self.args == placeholders(len(self.tensors)) else f" args={list(self.args)}"
        return f"{self.op}({shapes}{extra}; {words})"


@dataclass(frozen=True)
class Op:
    """The family of an op, its proof, and tf's path where tf spells it differently."""

    family: str
    proof: Callable[..., Any] | None = None
    reference: str = ""
    kernels: int = 1  # how many linear kernels it is, each rounding
    windowed: bool = False  # worth asking XLA where TensorFlow's own kernels refuse
    kernel: bool = False  # calls functions of the backend, though not `windowed`


def placeholders(count: int) -> tuple[str, ...]:
    """("$0", "$1", ...): every tensor in its own place."""
    return tuple(f"${i}" for i in range(count))


def call(
    op: str,
    *tensors: tuple[int, ...] | T,
    composition: Any = None,  # a function; dictionaries of settings are passed as well
    **settings: Any,
) -> Case:
    """A case in one line: shapes (or T) in order, then the keyword arguments.

    Example:
        >>> from minitensor.parity.case import call
        >>> str(call("nn.conv2d", (1, 4, 4, 2), (3, 3, 2, 1), strides=1, padding="SAME"))
        'nn.conv2d([1,4,4,2] [3,3,2,1]; strides=1, padding=SAME)'
    """
    specs = tuple(spec if isinstance(spec, T) else T(spec) for spec in tensors)
    return Case(op, specs, placeholders(len(specs)), settings, composition=composition)


def literal(shape: tuple[int, ...], *values: float, dtype: str = "") -> T:
    """A tensor whose numbers are written out."""
    return T(shape, "given", values=values, dtype=dtype)


def draw(case: Case, dtype: str) -> list[np.ndarray]:
    """The tensor arguments of `case` as arrays, the same on every machine and NumPy version."""
    specs = enumerate(case.tensors)
    return [fill(spec, f"{case.key} {i}", spec.dtype or dtype) for i, spec in specs]


def fill(spec: T, seed: str, dtype: str) -> np.ndarray:
    """An array of `spec`'s kind; RandomState because NumPy froze its stream for good."""
    random = np.random.RandomState(int(hashlib.sha1(seed.encode()).hexdigest()[:8], 16))
    values = np.asarray(_values(spec, random, np.dtype(real_dtype(dtype)).kind in "iu"))
    return values.reshape(spec.shape).astype(real_dtype(dtype))


def real_dtype(name: str) -> np.dtype:
    """The NumPy dtype of a name; bfloat16 is ml_dtypes', fetched when asked for."""
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


def _values(spec: T, random: np.random.RandomState, whole: bool) -> Any:
    """The numbers of one tensor; integers only where the dtype is an integer."""
    size = int(np.prod(spec.shape))
    if spec.kind == "given":
        return spec.values
    if spec.kind == "below":
        return random.randint(0, spec.high, size)
    if spec.kind == "truth":
        return random.randint(0, 2, size) == 1
    if spec.kind == "distinct":
        return (random.permutation(size) - size // 2) / (1 if whole else 4)
    if spec.kind == "ties":
        return random.randint(-2, 3, size)
    if whole:
        return random.randint(1 if spec.kind == "positive" else -9, 10, size)
    return _reals(spec, random, size)


def _reals(spec: T, random: np.random.RandomState, size: int) -> np.ndarray:
    """Numbers on a grid of 2^-20, so that no rounding of ours or of libm can move them."""
    ranges = {"real": (-2.0, 2.0), "wide": (-8.0, 8.0), "unit": (-0.9, 0.9), "share": (0.0, 1.0)}
    low, high = ranges.get(spec.kind, (0.5, 2.0))
    values = random.randint(int(low / GRID), int(high / GRID), size) * GRID
    if spec.kind == "probabilities":
        rows = values.reshape(-1, spec.shape[-1])
        return rows / rows.sum(axis=-1, keepdims=True)
    return values
