"""DType: the type of a tensor's elements, NumPy's dtype with what TensorFlow's knows besides.

NumPy takes one wherever it takes a dtype, and the two are equal where they mean the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class DType:
    """An element type.

    Attributes:
        dtype: NumPy's own, whose attributes are here too.

    Example:
        >>> import minitensor as tf
        >>> tf.int8.max, tf.float32.is_floating, tf.float32 == "float32"
        (127, True, True)

    Source: tf.DType
    """

    __slots__ = ("__weakref__", "dtype", "itemsize", "kind", "name", "type")

    def __init__(self, type_enum: Any) -> None:
        self.dtype: np.dtype[Any] = np.dtype(type_enum)
        self.name: str = self.dtype.name  # attributes of its own are found sooner
        self.kind: str = self.dtype.kind
        self.itemsize: int = self.dtype.itemsize
        self.type: Any = self.dtype.type

    def __getattr__(self, name: str) -> Any:
        if name == "dtype":  # of a copy that is being made
            raise AttributeError(name)
        return getattr(self.dtype, name)

    def __reduce__(self) -> Any:
        return of, (self.dtype,)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        try:
            return other is not None and bool(self.dtype == other)
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __str__(self) -> str:
        return f"<dtype: {self.name!r}>"

    def __format__(self, spec: str) -> str:
        return format(self.name, spec)  # in a sentence

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    @property
    def max(self) -> Any:
        """The largest value."""
        return self._info().max

    @property
    def min(self) -> Any:
        """The smallest value: of floats the largest one below zero's other side."""
        return self._info().min

    def _info(self) -> Any:
        if self.is_bool:
            raise TypeError("bool has no largest and no smallest value")
        if self.is_integer:
            return np.iinfo(self.dtype)
        if self.kind == "f":
            return np.finfo(self.dtype)
        import ml_dtypes

        return ml_dtypes.finfo(self.dtype)  # type: ignore[no-untyped-call, unused-ignore]

    @property
    def is_floating(self) -> bool:
        """Whether it is a float, bfloat16 too."""
        return self.kind == "f" or self.name == "bfloat16"

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer."""
        return self.kind in "iu"

    @property
    def is_unsigned(self) -> bool:
        """Whether it is an integer without a sign."""
        return self.kind == "u"

    @property
    def is_bool(self) -> bool:
        """Whether it is a truth value."""
        return self.kind == "b"

    @property
    def is_complex(self) -> bool:
        """No."""
        return False

    @property
    def as_numpy_dtype(self) -> Any:
        """NumPy's class: np.float32."""
        return self.type

    @property
    def base_dtype(self) -> DType:
        """Itself."""
        return self

    @property
    def size(self) -> int:
        """Bytes of an element."""
        return self.itemsize

    def is_compatible_with(self, other: Any) -> bool:
        """Whether it is the same."""
        return bool(self == other)


_known: dict[np.dtype[Any], DType] = {}


def of(dtype: np.dtype[Any]) -> Any:
    """The one DType of a NumPy dtype; the type of text is one already."""
    found = _known.get(dtype)
    if found is None:
        if not isinstance(dtype, np.dtype):
            return dtype
        found = _known.setdefault(dtype, DType(dtype))
    return found
