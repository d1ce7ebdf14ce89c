"""TensorArray: a list of tensors of one type, one writer for each place.

Raises: OutOfRangeError, for a place that is not there; InvalidArgumentError, which is a ValueError,
for a tensor of another type or shape, or a place that is read twice.
"""

from __future__ import annotations

from typing import Any

from minitensor.array import concat, convert_to_tensor, gather, split, stack, unstack, zeros
from minitensor.autograd import Tensor, TensorShape
from minitensor.backend.errors import InvalidArgumentError, OutOfRangeError
from minitensor.dtypes import as_dtype


class TensorArray:
    """Tensors that loops write, one by one, and `stack` makes one of.

    Args:
        dtype: their type.
        size: how many places there are at first.
        dynamic_size: whether writing behind the end makes it longer.
        clear_after_read: whether a place can be read only once; True if it is None.
        infer_shape: whether all have the shape of the first.
        element_shape: their shape; None in it means any size.
        tensor_array_name, handle, flow, colocate_with_first_write_call, name: ignored.

    Example:
        >>> import minitensor as tf
        >>> squares = tf.TensorArray(tf.int32, size=3)
        >>> for i in range(3):
        ...     squares = squares.write(i, i * i)
        >>> squares.stack().numpy()
        array([0, 1, 4], dtype=int32)

    Source: tf.TensorArray
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        self.dtype, self.dynamic_size = as_dtype(dtype), bool(dynamic_size)
        self._once = clear_after_read is not False
        self._infer = infer_shape
        self.element_shape = None if element_shape is None else TensorShape(element_shape)
        self._tensors: list[Tensor | None] = [None] * (0 if size is None else int(size))
        self._read: set[int] = set()

    @property
    def flow(self) -> Any:
        """Nothing: there is no graph."""
        return None

    @property
    def handle(self) -> Any:
        """Nothing: there is no graph."""
        return None

    def size(self, name: str | None = None) -> Tensor:
        """How many places there are."""
        return convert_to_tensor(len(self._tensors), "int32")

    def identity(self) -> TensorArray:
        """Itself."""
        return self

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """Puts a tensor at a place; returns the array."""
        place = int(index)
        if place < 0:
            raise OutOfRangeError(f"Writing to negative indices (index {place}) is not allowed.")
        if place >= len(self._tensors):
            if not self.dynamic_size:
                raise OutOfRangeError(
                    f"Tried to write to index {place} but array is not resizeable and size is: "
                    f"{len(self._tensors)} (dynamic_size=True makes it longer)"
                )
            self._tensors += [None] * (place + 1 - len(self._tensors))
        self._tensors[place] = self._fitting(value)
        return self

    def _fitting(self, value: Any) -> Tensor:
        try:
            tensor = convert_to_tensor(value, self.dtype)
        except TypeError as problem:
            raise InvalidArgumentError(f"TensorArray dtype is {self.dtype}: {problem}") from None
        if self.element_shape is None:
            self.element_shape = tensor.shape if self._infer else None
        elif not self.element_shape.is_compatible_with(tensor.shape):
            raise InvalidArgumentError(
                f"Incompatible shape for value ({tensor.shape}), expected ({self.element_shape})"
            )
        return tensor

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The tensor at a place."""
        place = int(index)
        if not 0 <= place < len(self._tensors):
            raise OutOfRangeError(
                f"Tried to read from index {place} but array size is: {len(self._tensors)}"
            )
        if place in self._read:
            raise InvalidArgumentError(
                f"Could not read index {place} twice because it was cleared after a previous read "
                "(perhaps try setting clear_after_read = false?)"
            )
        tensor = self._there(place)
        if self._once:
            self._tensors[place] = None
            self._read.add(place)
        return tensor

    def _there(self, place: int) -> Tensor:
        """What was written; zeros where nothing was and the shape is known."""
        tensor = self._tensors[place]
        if tensor is not None:
            return tensor
        shape = self.element_shape
        if shape is None or None in shape:
            raise InvalidArgumentError(
                f"TensorArray: nothing was written at index {place}, and the shape is not known"
            )
        return zeros(shape, self.dtype)

    def stack(self, name: str | None = None) -> Tensor:
        """All tensors along a new first axis."""
        if not self._tensors:
            return zeros([0, *(self.element_shape or ())], self.dtype)
        return stack([self._there(i) for i in range(len(self._tensors))])

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The tensors at some places along a new first axis."""
        return gather(self.stack(), indices)

    def concat(self, name: str | None = None) -> Tensor:
        """All tensors, joined along their first axis."""
        return concat([self._there(i) for i in range(len(self._tensors))], 0)

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """Puts the parts of a tensor along its first axis at the places 0, 1, ..."""
        self._tensors = [self._fitting(part) for part in unstack(value)]
        return self

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """Puts the parts of a tensor along its first axis at some places."""
        places = convert_to_tensor(indices).numpy().tolist()
        for index, part in zip(places, unstack(value), strict=True):
            self.write(index, part)
        return self

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """Puts parts of these lengths along the first axis at the places 0, 1, ..."""
        sizes = convert_to_tensor(lengths).numpy().tolist()
        infer, self._infer = self._infer, False
        self._tensors = [self._fitting(part) for part in split(value, sizes)]
        self._infer = infer
        return self

    def close(self, name: str | None = None) -> None:
        """Forgets all."""
        self._tensors = []
