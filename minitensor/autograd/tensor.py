"""Tensor: an array that ops accept, return and never change.

A Tensor holds one raw array of some backend and nothing else: no gradient, no graph. What was
computed from what is the business of the tapes that were watching. The operators (+, @, [...])
are installed by `minitensor.ops`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from minitensor import backend
from minitensor.autograd import dtype
from minitensor.backend import devices
from minitensor.missing import Hinting

printed_as = "minitensor"  # what tensors and variables call themselves; "tf" in `minitensor run`


class TensorShape(tuple[int, ...]):
    """The sizes of a tensor's axes: a tuple that also answers to TensorFlow's method names.

    Example:
        >>> import minitensor as tf
        >>> tf.TensorShape((2, 3)).as_list()
        [2, 3]
        >>> tf.TensorShape((2, 3)).num_elements()
        6

    Source: tf.TensorShape
    """

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self)

    @property
    def ndims(self) -> int:
        """Number of axes."""
        return len(self)

    def as_list(self) -> list[int]:
        """The sizes as a list."""
        return list(self)

    def num_elements(self) -> int:
        """Product of the sizes."""
        return math.prod(self)

    def is_fully_defined(self) -> bool:
        """Whether every size is known."""
        return None not in self

    def is_compatible_with(self, other: Any) -> bool:
        """Whether both can be the shape of one tensor; None is any size."""
        pairs = zip(self, other, strict=False)
        return len(self) == len(other) and all(a == b or None in (a, b) for a, b in pairs)

    def assert_is_compatible_with(self, other: Any) -> None:
        """A ValueError if they cannot."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {TensorShape(other)} are incompatible")

    def concatenate(self, other: Any) -> TensorShape:
        """These sizes, then the other ones."""
        return TensorShape((*self, *other))

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape((*other, *self))

    def __eq__(self, other: object) -> bool:
        return tuple(self) == (tuple(other) if isinstance(other, list) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__

    def __getitem__(self, index: Any) -> Any:
        item = tuple.__getitem__(self, index)
        return TensorShape(item) if isinstance(index, slice) else item

    def __repr__(self) -> str:
        return f"TensorShape({list(self)})"

    def __str__(self) -> str:
        return tuple.__repr__(self)


class Reference:
    """A hashable handle on a tensor or variable, for use as a dictionary key. Source: tf ref()."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def deref(self) -> Any:
        """The object this is a handle on."""
        return self._target

    def __hash__(self) -> int:
        return id(self._target)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._target is other._target


class ArrayLike(Hinting):
    """What Tensor and Variable have in common: they present one raw array, `self.array`."""

    __slots__ = ()

    array: Any
    if TYPE_CHECKING:  # minitensor.ops.operators installs these

        def __add__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...

        __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __add__
        __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __add__
        __matmul__ = __rmatmul__ = __and__ = __rand__ = __or__ = __ror__ = __xor__ = __add__
        __rxor__ = __lt__ = __le__ = __gt__ = __ge__ = __getitem__ = __add__
        __abs__ = __invert__ = __neg__

    # Makes `ndarray + tensor` call Tensor.__radd__ instead of looping over elements.
    __array_priority__: ClassVar[int] = 100

    @property
    def shape(self) -> TensorShape:
        """Sizes of the axes."""
        return TensorShape(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type: a DType, which is all that NumPy's is."""
        return dtype.of(self.array.dtype)  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.array.shape)

    @property
    def device(self) -> str:
        """Where the array lies, in TensorFlow's words: "/job:.../device:CPU:0"."""
        return devices.full_name(backend.of(self.array).name)

    def get_shape(self) -> TensorShape:
        """Sizes of the axes (TensorFlow 1's spelling of `shape`)."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """A ValueError if the shape is another; None in it is any size."""
        if not self.shape.is_compatible_with(TensorShape(shape)):
            raise ValueError(
                f"Tensor's shape {self.shape} is not compatible with supplied shape "
                f"{TensorShape(shape)}."
            )

    def numpy(self) -> Any:
        """A NumPy copy: an array, or a NumPy scalar when there are no axes."""
        return backend.of(self.array).to_numpy(self.array).copy()[()]

    def ref(self) -> Reference:
        """A hashable handle (tensors compare element by element, so they cannot be keys)."""
        return Reference(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = np.array(backend.of(self.array).to_numpy(self.array), dtype=dtype, copy=copy)
        return array if copy is True else _for_reading(array)  # it may be the tensor's own memory

    def __dlpack__(self, **options: Any) -> Any:
        array = self.array
        if isinstance(array, np.ndarray):  # older consumers cannot be told to read only
            told = (options.get("max_version") or (0, 0)) >= (1, 0)
            array = _for_reading(array) if told else array.copy()
        return array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a tensor of no axes has no length")
        return len(self.array)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __float__(self) -> float:
        return float(self.numpy())

    def __index__(self) -> int:
        return operator.index(self.numpy())

    def __format__(self, spec: str) -> str:
        return format(self.numpy() if not self.ndim else str(self), spec)


class _Memory:
    """An array's memory, shown as one that nobody can make writable again."""

    def __init__(self, array: np.ndarray) -> None:
        described = array.__array_interface__
        self.__array_interface__ = {**described, "data": (described["data"][0], True)}
        self._array = array  # the memory lives as long as this


def _for_reading(array: np.ndarray) -> np.ndarray:
    """The same memory as an array that refuses to be written, whatever its flags are set to."""
    return np.asarray(_Memory(array)).view(array.dtype)


class Tensor(ArrayLike):
    """An immutable n-dimensional array on one backend.

    Make one with `minitensor.constant`; ops return them. Two tensors meet only if their dtypes
    agree.

    Attributes:
        array: the raw backend array. Do not write into it.
        shape, dtype, ndim, device: as the names say.

    Example:
        >>> import minitensor as tf
        >>> x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
        >>> (x @ x)[0].numpy()
        array([ 7., 10.], dtype=float32)

    Source: tf.Tensor
    """

    __slots__ = ("__weakref__", "array", "assign")

    assign: Callable[..., Any]  # of what was sliced out of a variable, and of nothing else

    # Installed by minitensor.ops: the array ops that conversion and Jacobians need.
    pack: ClassVar[Callable[[list[Tensor]], Tensor]]  # n tensors -> one with a new first axis
    reshaped: ClassVar[Callable[[Tensor, tuple[int, ...]], Tensor]]
    transposed: ClassVar[Callable[[Tensor, list[int]], Tensor]]

    def __init__(self, array: Any) -> None:
        self.array = array

    def __repr__(self) -> str:
        return (
            f"<{printed_as}.Tensor: shape={self.shape!s}, dtype={self.dtype.name}, "
            f"numpy={printed(self.numpy())}>"
        )

    def __str__(self) -> str:
        value = _below(str(self.numpy()))
        return f"{printed_as}.Tensor({value}, shape={self.shape!s}, dtype={self.dtype.name})"


def printed(value: Any) -> str:
    """A value as TensorFlow's repr shows it: several lines begin on a line of their own."""
    return _below(repr(value)) if np.ndim(value) else str(value)


def _below(text: str) -> str:
    return f"\n{text}" if "\n" in text else text


def is_float(dtype: Any) -> bool:
    """Whether elements of this dtype have derivatives."""
    dtype = np.dtype(dtype)
    return bool(dtype.kind == "f" or dtype.name == "bfloat16")
