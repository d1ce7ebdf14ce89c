"""Spatial: a layer that knows which axes of its input are pixels, and how a window moves over them.

Layers that differ only in the number of spatial axes are one class, whose subclasses `of_rank`
completes: `Conv1D`, `Conv2D` and `Conv3D` are `Convolution` with a rank, a docstring in the words
of that rank (`minitensor.nn.ranks`) and defaults of their own.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from minitensor.keras.engine import InputSpec, Layer
from minitensor.keras.engine.defaults import layout
from minitensor.keras.layers import geometry
from minitensor.keras.layers.geometry import Sizes
from minitensor.nn import ranks
from minitensor.nn.arguments import Padding
from minitensor.window import extent

_NUMBERS = {"strides", "kernel_size", "dilation_rate", "pool_size"}  # one for each axis


class Spatial(Layer):
    """Takes inputs of `rank` spatial axes, a batch axis before them, channels before or after."""

    rank: int  # 1 for signals, 2 for images, 3 for volumes
    strides: Any
    kernel_size: Any
    dilation_rate: Any
    words: tuple[str, ...] = ("valid", "same")  # what `padding` may be, where a window slides
    floats_only = False  # whether integers are refused
    _settled = True

    def __init__(self, data_format: str | None, **rest: Any) -> None:
        super().__init__(**rest)
        self.data_format = layout(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def __setattr__(self, name: str, value: Any) -> None:
        """Reads a setting whenever it is set, by the constructor or by a program later on."""
        if name in _NUMBERS:
            value = geometry.numbers(name, value, self.rank)
        super().__setattr__(name, value)

    def prepare(self, inputs: Any, given: Any = None) -> None:
        """Checks an input, and builds the layer for it."""
        if self.floats_only:
            geometry.floats_only(self, inputs)
        super().prepare(inputs, given)

    @property
    def _last(self) -> bool:
        """Whether the channels are the last axis."""
        return self.data_format == "channels_last"

    @property
    def _title(self) -> str:
        """What errors begin with."""
        return f"{type(self).__name__} {self.name!r}"

    # ----- sizes -----

    def _split(self, shape: Sequence[int | None]) -> tuple[int | None, Sizes, int | None]:
        """(batch, spatial sizes, channels) of a shape."""
        if len(shape) != self.rank + 2:
            raise ValueError(
                f"Layer {self.name} ({type(self).__name__}) takes inputs of {self.rank + 2} axes. "
                f"Full shape received: {tuple(shape)}"
            )
        return geometry.split(shape, self.data_format)

    def _joined(self, batch: int | None, spatial: Sizes, channels: int | None) -> Sizes:
        """The shape of these sizes."""
        return geometry.joined(batch, spatial, channels, self.data_format)

    def _pixels(self, shape: Sequence[int | None]) -> list[int]:
        """The spatial sizes of a shape that knows them."""
        return [n for n in self._split(shape)[1] if n is not None]

    def _resized(self, shape: Sequence[int | None], size: Callable[[int, int], int]) -> Sizes:
        """The shape after `size(pixels, axis)` has changed each spatial size that is known."""
        batch, spatial, channels = self._split(shape)
        found = tuple(None if n is None else size(n, axis) for axis, n in enumerate(spatial))
        return self._joined(batch, found, channels)

    def _known_channels(self, input_shape: Any) -> int:
        """The channels of inputs of this shape; from now on no others are taken."""
        self.compute_output_shape(input_shape)
        channels = self._split(input_shape)[2]
        if channels is None:
            raise ValueError(
                f"The channel axis of the inputs to {self.name} must be defined. "
                f"Full input shape received: {tuple(input_shape)}"
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={-1 if self._last else 1: channels})
        return channels

    # ----- a window that slides -----

    def _slide(self, strides: Any, padding: Any) -> None:
        """Reads the pixels between output positions, and what is at the ends."""
        self.strides = strides
        self.padding = geometry.choice("padding", padding, self.words)

    def _slide_kernel(self, kernel_size: Any, strides: Any, padding: Any, dilation: Any) -> None:
        """The same for a kernel, and its taps, and how far these are apart."""
        self._slide(strides, padding)
        self.kernel_size, self.dilation_rate = kernel_size, dilation

    def _taps(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """(taps, pixels between them) along each axis."""
        return self.kernel_size, self.dilation_rate

    @property
    def _pads(self) -> Padding:
        """`padding` as `minitensor.window` has it."""
        return self.padding.upper()

    @property
    def receptive_field(self) -> Any:
        """(pixels that the window spans, stride) along each axis; None where no window slides."""
        if not hasattr(self, "strides"):
            return None
        spans = (extent(k, d) for k, d in zip(*self._taps(), strict=True))
        return tuple(zip(spans, self.strides, strict=True))

    def _output_shape(self, input_shape: Any, channels: int | None) -> Sizes:
        """The shape of an output with that many channels.

        "valid": floor((n - span) / stride) + 1 positions; "same" and "causal": ceil(n / stride)
        """
        valid, field = self.padding == "valid", self.receptive_field

        def positions(n: int, axis: int) -> int:
            span, stride = field[axis]
            if valid and n < span:
                raise ValueError(
                    f"{self._title}: Computed output size would be zero or negative: a window that "
                    f"spans {span} pixels of axis {axis} does not fit into an input of shape "
                    f"{tuple(input_shape)} with padding='valid'. Use padding='same' or a smaller "
                    "window."
                )
            return (n - span) // stride + 1 if valid else -(-n // stride)

        batch, spatial, _ = self._split(self._resized(input_shape, positions))
        return self._joined(batch, spatial, channels)


L = TypeVar("L", bound=type[Spatial])

_ENDING = """
Raises:
    ValueError: a setting, or the shape of an input, that is not legal.

Example:
    >>> import minitensor as tf
    {example}

Source: keras.layers.{name}
"""


def of_rank(
    rank: int,
    template: str,
    defaults: dict[str, Any] | None = None,
    /,
    example: str = "{example}",
    **words: str,
) -> Callable[[L], L]:
    """A decorator that makes a layer of `rank` axes of a class that serves all ranks.

    The docstring is the template and what all end with; the example in it is the class' own
    docstring, or a template too. A constructor that the class does not write itself is the
    inherited one with these defaults.
    """

    def complete(cls: L) -> L:
        cls.rank = rank
        if "__init__" not in vars(cls):
            cls.__init__ = _constructor(cls, defaults or {})  # type: ignore[method-assign]
        text = template + _ENDING.replace("{example}", example)
        return ranks.of_rank(rank, text, name=cls.__name__, **words)(cls)

    return complete


def of_each_rank(
    name: str,
    base: type[Spatial],
    template: str,
    words: dict[str, str],
    defaults: dict[str, int] | None = None,
    **settings: Any,
) -> tuple[Any, Any, Any]:
    """The layers of one, two and three axes that differ in nothing else, `settings` among them.

    A default is a number for one axis, a tuple for more, as in Keras.
    """

    def made(rank: int) -> Any:
        cls = type(f"{name}{rank}D", (base,), {**settings, "__module__": base.__module__})
        own = {k: n if rank == 1 else (n,) * rank for k, n in (defaults or {}).items()}
        return of_rank(rank, template, own, **words)(cls)

    return made(1), made(2), made(3)


def _constructor(cls: type, defaults: dict[str, Any]) -> Callable[..., None]:
    """The inherited constructor, the same code, with other defaults."""
    general = cls.__init__  # type: ignore[misc]
    code = general.__code__
    made = types.FunctionType(code, general.__globals__, "__init__", None, general.__closure__)
    names = code.co_varnames[1 : code.co_argcount]
    values = dict(zip(reversed(names), reversed(general.__defaults__ or ()), strict=False))
    values |= defaults
    made.__defaults__ = tuple(values[name] for name in names if name in values)
    made.__annotations__ = general.__annotations__
    made.__module__, made.__qualname__ = cls.__module__, f"{cls.__qualname__}.__init__"
    return made
