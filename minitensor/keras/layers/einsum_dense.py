"""EinsumDense: a dense layer over whichever axes an equation of letters names."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Unpack

from minitensor.keras.engine import InputSpec
from minitensor.keras.engine.layer import Common
from minitensor.keras.initializers import VarianceScaling
from minitensor.keras.layers.affine import Affine, make_weight, read_rules
from minitensor.keras.layers.geometry import Sizes, as_floats
from minitensor.keras.serialization.objects import serialize
from minitensor.ops.linalg import einsum

_EQUATION = re.compile(
    r"(?P<left>\.\.\.)?(?P<input>[a-zA-Z]+)(?P<right>\.\.\.)?,(?P<kernel>[a-zA-Z]+)"
    r"->(?(left)\.\.\.)(?P<output>[a-zA-Z]+)(?(right)\.\.\.)"
)


class EinsumShapes(NamedTuple):
    """What an equation and the shape of an input say."""

    kernel: list[int]
    bias: list[int] | None
    output: Sizes
    inputs_of_kernel: list[int]  # its axes that are summed over
    outputs_of_kernel: list[int]


class EinsumDense(Affine):
    """y = activation(einsum(equation, x, kernel) + bias).

    Args:
        equation: "ab,bc->ac", "...x,xy->...y" or "xy...,yz->xz...": input, kernel, output.
        output_shape: sizes of the output without the batch and without the axes of "...".
        activation: a name in `keras.activations`, a function, or None.
        bias_axes: the letters of the output that the bias has; None: there is no bias.
        kernel_initializer, bias_initializer: names or functions of a shape.
        kernel_regularizer, bias_regularizer: added to the loss.
        kernel_constraint, bias_constraint: applied after every update.
        lora_rank, lora_alpha, gptq_unpacked_column_size, quantization_config: must stay None.
        kwargs: what every Layer takes.

    Attributes:
        kernel: sizes by the letters of its term, made when the layer is built.
        bias: from the first of `bias_axes` on, 1 for every axis that is not among them; or None.

    Raises:
        ValueError: another equation, or sizes that contradict it.

    Example:
        >>> import minitensor as tf
        >>> layer = tf.keras.layers.EinsumDense("abc,cd->abd", (None, 64), bias_axes="d")
        >>> layer(tf.ones([2, 32, 128])).shape, layer.kernel.shape
        (TensorShape([2, 32, 64]), TensorShape([128, 64]))

    Source: keras.layers.EinsumDense
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: int | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Unpack[Common],
    ) -> None:
        given = (lora_rank, lora_alpha, gptq_unpacked_column_size, quantization_config)
        if any(x is not None for x in given):
            raise ValueError(
                "EinsumDense: `lora_rank`, `lora_alpha`, `gptq_unpacked_column_size` and "
                "`quantization_config` must be None; a whole kernel is trained here."
            )
        super().__init__(**kwargs)
        self.equation, self.bias_axes = equation, bias_axes
        one = isinstance(output_shape, int)
        self.partial_output_shape: Sizes = (output_shape,) if one else tuple(output_shape)
        read_rules(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        read_rules(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._read_affine(activation, bias_axes is not None)

    def build(self, input_shape: Any) -> None:
        shapes = self._shapes(input_shape)
        self.kernel = self._make_kernel(shapes)
        self.bias = make_weight(self, "bias", shapes.bias) if shapes.bias is not None else None
        self.input_spec = InputSpec(ndim=len(input_shape))

    def _make_kernel(self, shapes: EinsumShapes) -> Any:
        """The kernel; how many inputs and outputs it has, the equation says."""
        rule = self.kernel_initializer
        if isinstance(rule, VarianceScaling) and None in (rule.input_axes, rule.output_axes):
            axes = {"input_axes": shapes.inputs_of_kernel, "output_axes": shapes.outputs_of_kernel}
            rule = type(rule).from_config(rule.get_config() | {"seed": rule.seed} | axes)
        return self.add_weight(
            shape=shapes.kernel,
            initializer=rule,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )

    def call(self, inputs: Any) -> Any:
        x = as_floats(inputs, self.compute_dtype)
        y = einsum(x, self.kernel, equation=self.equation)
        return self.activation(y if self.bias is None else y + self.bias)

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        """The sizes of the letters of the output."""
        return self._shapes(input_shape).output

    def _shapes(self, input_shape: Any) -> EinsumShapes:
        return einsum_shapes(
            self.equation, self.bias_axes, tuple(input_shape), self.partial_output_shape
        )

    def macs(self, output_shape: Any) -> int:
        """One for every weight at every place of the output that the kernel has no letter for."""
        terms = _terms(self.equation)
        free = [terms["output"].find(letter) for letter in terms["kernel"]]
        first = len(output_shape) - len(terms["output"]) if terms["left"] else 0
        own = {i + first for i in free if i >= 0}
        places = math.prod(n for i, n in enumerate(output_shape) if i and i not in own)
        return places * math.prod(self.kernel.shape)

    def get_config(self) -> dict[str, Any]:
        """Its arguments; those that must stay None are left out, as Keras does."""
        config = super().get_config() | {
            "output_shape": self.partial_output_shape,
            "activity_regularizer": serialize(self.activity_regularizer),
        }
        for name in ("lora_rank", "lora_alpha", "gptq_unpacked_column_size"):
            config.pop(name, None)
        return config


def _terms(equation: str) -> dict[str, str]:
    found = _EQUATION.fullmatch(equation)
    if found is None or (found["left"] and found["right"]):
        raise ValueError(
            f"Invalid einsum equation '{equation}'. Equations must be in the form [X],[Y]->[Z], "
            "...[X],[Y]->...[Z], or [X]...,[Y]->[Z]...."
        )
    return found.groupdict()


def einsum_shapes(
    equation: str, bias_axes: str | None, input_shape: Sizes, output_shape: Sizes
) -> EinsumShapes:
    """The shapes of kernel, bias and output."""
    terms = _terms(equation)
    elided = len(input_shape) - len(terms["input"])
    before = elided if terms["left"] else 0  # axes of "..." on the left
    after = elided if terms["right"] else 0
    output = (
        *(input_shape[:1] or ()),
        *input_shape[1:before],
        *output_shape,
        *input_shape[len(input_shape) - after :],
    )
    inputs = dict(zip(terms["input"], input_shape[before:], strict=False))
    outputs = dict(zip(terms["output"], output[before:], strict=False))
    _check(terms, inputs, outputs, bias_axes or "")
    kernel = [outputs[x] if x in outputs else inputs[x] for x in terms["kernel"]]
    if None in kernel:
        raise ValueError(
            f"EinsumDense: the sizes {kernel} of the kernel '{terms['kernel']}' of '{equation}' "
            f"must be known. Received: input_shape={input_shape}, output_shape={output_shape}"
        )
    return EinsumShapes(
        [n for n in kernel if n is not None],
        None if bias_axes is None else _bias(terms["output"], bias_axes, outputs) + [1] * after,
        output,
        [i for i, x in enumerate(terms["kernel"]) if x not in outputs],
        [i for i, x in enumerate(terms["kernel"]) if x in outputs],
    )


def _bias(letters: str, bias_axes: str, sizes: dict[str, int | None]) -> list[int]:
    first = min(letters.index(x) for x in bias_axes)
    return [(sizes[x] or 1) if x in bias_axes else 1 for x in letters[first:]]


def _check(
    terms: dict[str, str],
    inputs: dict[str, int | None],
    outputs: dict[str, int | None],
    bias_axes: Sequence[str],
) -> None:
    """Refuses letters without a size, and sizes that contradict each other."""
    for letter in inputs.keys() & outputs.keys():
        if outputs[letter] is not None and outputs[letter] != inputs[letter]:
            raise ValueError(
                f"Input shape and output shape do not match at shared dimension '{letter}'. Input "
                f"shape is {inputs[letter]}, and output shape is {outputs[letter]}."
            )
    known = {
        "output": (set(terms["output"]) - set(outputs), "`output_shape`"),
        "input": (set(terms["input"]) - set(inputs), "the input"),
        "kernel": (set(terms["kernel"]) - {*inputs, *outputs}, "the input and the output"),
        "bias": (set(bias_axes) - set(outputs), "the output"),
    }
    lost = set(terms["output"]) - {*terms["input"], *terms["kernel"]}
    for what, (letters, where) in (*known.items(), ("output", (lost, "the input and the kernel"))):
        if letters:
            raise ValueError(
                f"Dimension '{min(letters)}' of the {what} of the equation is not in {where}: "
                f"{terms['input']},{terms['kernel']}->{terms['output']}"
            )
