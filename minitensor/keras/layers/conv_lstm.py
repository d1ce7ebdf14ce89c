"""ConvLSTM: a memory of images, which a sequence of images passes through step by step.

All steps are convolved with the kernel at once, as one batch; only what depends on the state, the
convolution with the recurrent kernel, is computed step by step.

Letters: N batch, T steps, C channels, F filters.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, Unpack

from minitensor import nn
from minitensor.array import (
    cast,
    concat,
    ones,
    ones_like,
    reshape,
    split,
    stack,
    unstack,
    where,
    zeros,
    zeros_like,
)
from minitensor.autograd import Tensor, Variable
from minitensor.autograd.tree import flatten
from minitensor.keras import activations
from minitensor.keras.engine import InputSpec, calling
from minitensor.keras.engine.layer import Layer, Named
from minitensor.keras.engine.seed_stream import SeedStream
from minitensor.keras.layers import geometry
from minitensor.keras.layers.affine import make_weight, read_rules
from minitensor.keras.layers.spatial import Spatial, of_each_rank
from minitensor.keras.serialization.memory_budget import charge
from minitensor.nn import ranks

_CONV_LSTM = """A memory of {images}: an LSTM whose products are convolutions.

i, f, g, o = split(conv(x[:, t], kernel) + bias + conv(h, recurrent_kernel), 4)
c = s(f) * c + s(i) * activation(g), s = recurrent_activation
h = s(o) * activation(c), with t from 0 to T - 1, c = h = 0 before

Args:
    filters: number of channels of h, and of the output.
    kernel_size: taps ({taps}) of both kernels: {numbers}.
    strides: pixels between output positions, in the same forms; h has one for each of these.
    padding: "valid" or "same", of the inputs; h is padded to "same" always.
    data_format: "channels_last" or "channels_first"; default `keras.config`'s.
    dilation_rate: pixels between taps on the inputs; not together with strides.
    activation, recurrent_activation: names in `keras.activations`, functions, or None.
    use_bias: whether a bias is added.
    kernel_initializer, recurrent_initializer, bias_initializer: names or functions of a shape.
    unit_forget_bias: whether the bias of f begins as 1.
    kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: added to the
        loss.
    kernel_constraint, recurrent_constraint, bias_constraint: applied after every update.
    dropout, recurrent_dropout: probability that a number of x, or of h, is 0 in training. Each of
        i, f, g, o has zeros of its own, the same at every step. 1 is none, as in Keras.
    seed: of these draws.
    return_sequences: whether the output is h after each step, not only after the last.
    return_state: whether h and c after the last step are returned as well.
    go_backwards: whether t goes from T - 1 to 0; the outputs come in that order too.
    stateful: whether h and c stay for the next call, until `reset_state`.
    kwargs: unroll, which changes nothing here; zero_output_for_mask, whether the output of a masked
        step is 0, not that of the step before; what every Layer takes.

Attributes:
    cell: has kernel ({taps}, C, 4 F), recurrent_kernel ({taps}, F, 4 F), bias (4 F,) or None.
    states: [h, c] if it is stateful and was built, else None.
"""


class Recurrent(Named, total=False):
    """`Named`, and what Keras' recurrent layers take as `**kwargs`."""

    unroll: bool
    zero_output_for_mask: bool


class ConvLSTMCell(Layer):
    """Has the weights of a ConvLSTM, where Keras keeps them; the ConvLSTM computes."""

    kernel: Any
    recurrent_kernel: Any
    bias: Any


class ConvLSTM(Spatial):
    """What ConvLSTM1D, ConvLSTM2D and ConvLSTM3D have in common: all but the rank."""

    floats_only = True
    _supports_masking = True
    bias_initializer: Any
    _state_sizes: Any

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Unpack[Recurrent],
    ) -> None:
        self._read_steps(return_sequences, return_state, go_backwards, stateful, kwargs)
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._slide_kernel(kernel_size, strides, padding, dilation_rate)
        self._read_gates(filters, activation, recurrent_activation, use_bias, unit_forget_bias)
        read_rules(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        rules = recurrent_initializer, recurrent_regularizer, recurrent_constraint
        read_rules(self, "recurrent", *rules)
        read_rules(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._read_noise(dropout, recurrent_dropout, seed)

    def _read_steps(
        self, sequences: bool, state: bool, backwards: bool, stateful: bool, rest: Recurrent
    ) -> None:
        self.return_sequences, self.return_state = sequences, state
        self.go_backwards, self.stateful = backwards, stateful
        self.unroll = rest.pop("unroll", False)
        self.zero_output_for_mask = rest.pop("zero_output_for_mask", False)

    def _read_gates(
        self, filters: Any, activation: Any, recurrent: Any, use_bias: bool, unit_forget_bias: bool
    ) -> None:
        self.filters = geometry.positive("filters", filters)
        self.activation, self.recurrent_activation = map(activations.get, (activation, recurrent))
        self.use_bias, self.unit_forget_bias = use_bias, unit_forget_bias
        self.input_spec = InputSpec(ndim=self.rank + 3)
        kind = self.dtype_policy
        self.cell = ConvLSTMCell(name="conv_lstm_cell", dtype=kind, trainable=self._trainable)
        self._memory: Any = None

    def _read_noise(self, dropout: Any, recurrent_dropout: Any, seed: Any) -> None:
        self.dropout = _rate("dropout", dropout)
        self.recurrent_dropout = _rate("recurrent_dropout", recurrent_dropout)
        self.seed, self.seed_stream = seed, SeedStream(seed)

    def _slide_kernel(self, *settings: Any) -> None:
        super()._slide_kernel(*settings)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "Specifying `strides > 1` is not compatible with `dilation_rate > 1`. Please "
                f"provide `strides=1` or `dilation_rate=1`. Received: strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}"
            )

    @property
    def _channel_axis(self) -> int:
        """Of a state."""
        return -1 if self._last else 1

    # ----- weights and states -----

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        batch, self._steps, *rest = sequences_shape
        if None in rest:
            raise ValueError(
                "ConvLSTM layers only support static input shapes for the spatial dimension, and a "
                f"channel axis that is defined. Received: input_shape={tuple(sequences_shape)}"
            )
        if self.stateful and batch is None:
            raise ValueError(
                "When using `stateful=True` in a RNN, the batch size must be static: begin with "
                "Input(batch_shape=...). Found dynamic batch size: "
                f"sequence.shape={tuple(sequences_shape)}"
            )
        self._state_sizes = self._output_shape((batch, *rest), self.filters)[1:]
        axes = {i: n for i, n in enumerate(sequences_shape) if i > 1}
        self.input_spec = InputSpec(ndim=self.rank + 3, axes=axes)
        cell, taps, gates = self.cell, self.kernel_size, 4 * self.filters
        shape = (*taps, rest[-1 if self._last else 0], gates)
        cell.kernel = make_weight(self, "kernel", shape, owner=cell)
        shape = (*taps, self.filters, gates)
        cell.recurrent_kernel = make_weight(self, "recurrent_kernel", shape, "recurrent", cell)
        cell.bias = make_weight(self, "bias", (gates,), owner=cell) if self.use_bias else None
        if cell.bias is not None and self.unit_forget_bias:
            cell.bias.assign(self._forgetting_little())
        cell.built = True
        if self.stateful:  # in no list, which would make them weights: Keras does not save them
            charge((2, batch, *self._state_sizes), self.dtype, "its state")
            h, c = (Variable(x, False, name="rnn_state") for x in self.get_initial_state(batch))
            self._memory = SimpleNamespace(h=h, c=c)

    def _forgetting_little(self) -> Tensor:
        """bias_initializer's numbers, but 1 for f: what c is multiplied by is then near 1."""
        i, rest = (self.bias_initializer((n * self.filters,), dtype=self.dtype) for n in (1, 2))
        return concat([i, ones((self.filters,), self.dtype), rest], 0)  # (4 F,)

    @property
    def states(self) -> list[Variable] | None:
        """What it remembers from call to call."""
        return None if self._memory is None else [self._memory.h, self._memory.c]

    def get_initial_state(self, batch_size: int) -> list[Tensor]:
        """[h, c] before the first step of so many sequences: zeros."""
        return [zeros((batch_size, *self._state_sizes), self.compute_dtype) for _ in "hc"]

    def reset_state(self) -> None:
        """Forgets what it remembers."""
        for state in self.states or ():
            state.assign(zeros_like(state))

    def reset_states(self) -> None:
        """The same as `reset_state`, by its old name."""
        self.reset_state()

    # ----- a call -----

    def call(  # type: ignore[override]
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        """What comes out after the last step, or after each.

        Args:
            sequences: (N, T, spatial sizes, C), or (N, T, C, spatial sizes).
            initial_state: [h, c], (N, output sizes, F) each; default zeros, or `states`.
            mask: (N, T), steps that count; at others h and c stay what they are.
            training: whether there is dropout.

        Returns:
            (N, output sizes, F), or (N, T, output sizes, F); with `return_state` (it, h, c).
        """
        h, c = self._states_before(sequences, initial_state)
        dropped = recurrent = None
        if training:
            dropped = self._masks(sequences[:, 0], self.dropout)
            recurrent = self._masks(h, self.recurrent_dropout)
        xs = self._convolved_inputs(sequences, dropped)
        counts = None if mask is None else self._counting(mask, sequences)
        y, ys = zeros_like(h), []
        for t in reversed(range(len(xs))) if self.go_backwards else range(len(xs)):
            new, new_c = self._step(xs[t], h, c, recurrent)
            if counts is None:
                y, h, c = new, new, new_c
            else:
                y = where(counts[t], new, zeros_like(y) if self.zero_output_for_mask else y)
                h, c = where(counts[t], new, h), where(counts[t], new_c, c)
            ys.append(y)
        if self.stateful:
            for state, value in zip(self.states or (), (h, c), strict=True):
                state.assign(value)
        y = stack(ys, 1) if self.return_sequences else y
        return (y, h, c) if self.return_state else y

    def _step(self, x: Tensor, h: Tensor, c: Tensor, dropped: Any) -> tuple[Tensor, Tensor]:
        """(h, c) after a step whose convolved input is x (N, h, w, 4 F)."""
        hs = [h] if dropped is None else [h * mask for mask in dropped]
        gates = x + self._convolved(hs, self.cell.recurrent_kernel, 1, "SAME", 1)
        i, f, g, o = split(gates, 4, self._channel_axis)
        kept = self.recurrent_activation(f) * c
        c = kept + self.recurrent_activation(i) * self.activation(g)
        return self.recurrent_activation(o) * self.activation(c), c

    def _convolved_inputs(self, sequences: Tensor, dropped: Any) -> list[Tensor]:
        """conv(x, kernel) + bias for each step, all steps as one batch."""
        batch, steps, *sizes = sequences.shape
        xs = [sequences] if dropped is None else [sequences * mask[:, None] for mask in dropped]
        flat = [reshape(x, (batch * steps, *sizes)) for x in xs]  # (N T, H, W, C)
        y = self._convolved(flat, self.cell.kernel, self.strides, self._pads, self.dilation_rate)
        if self.cell.bias is not None:
            behind = () if self._last else (1,) * self.rank
            y = y + reshape(self.cell.bias, (-1, *behind))  # (N T, h, w, 4 F)
        return unstack(reshape(y, (batch, steps, *y.shape[1:])), axis=1)

    def _convolved(
        self, xs: list[Tensor], kernel: Any, strides: Any, padding: Any, dilation_rate: Any
    ) -> Tensor:
        """The convolutions for the four gates, of one input for all or of one for each."""
        kernels = [kernel] if len(xs) == 1 else split(kernel, 4, -1)
        letters = ranks.LAYOUT[self.rank][1:-1]
        layout = f"N{letters}C" if self._last else f"NC{letters}"
        parts = [
            nn.convolution(x, k, strides, padding, layout, dilation_rate)
            for x, k in zip(xs, kernels, strict=True)
        ]
        return parts[0] if len(parts) == 1 else concat(parts, self._channel_axis)

    def _masks(self, like: Tensor, rate: float) -> list[Tensor] | None:
        """What each gate's copy of a tensor is multiplied by; None: by nothing."""
        if not 0 < rate < 1:
            return None
        seeds = (self.seed_stream.next_seed() for _ in "ifgo")
        return [nn.dropout(ones_like(like), rate, seed=seed) for seed in seeds]

    def _states_before(self, sequences: Tensor, given: Any) -> list[Any]:
        """[h, c] before the first step."""
        shape = (sequences.shape[0], *self._state_sizes)
        if not sequences.shape[1]:
            raise ValueError(
                f"{self._title}: expected at least one step, axis 1 of the input. Full shape "
                f"received: {tuple(sequences.shape)}"
            )
        if self.states is not None and self.states[0].shape != shape:
            raise ValueError(
                "If an RNN is stateful, the batch size of the input sequences must be the same as "
                f"the batch size of the initial state. Expected: {self.states[0].shape[0]}. "
                f"Received: {shape[0]}"
            )
        if given is None:
            return self.states or self.get_initial_state(shape[0])
        states = [cast(state, self.compute_dtype) for state in flatten(given)]
        if [tuple(state.shape) for state in states] != [shape, shape]:
            raise ValueError(
                f"{self._title}: initial_state must be [h, c], each of shape {shape}. Received "
                f"shapes: {[tuple(state.shape) for state in states]}"
            )
        return states

    def _counting(self, mask: Any, sequences: Tensor) -> list[Tensor]:
        """What counts at each step, with axes of size 1 up to those of h: (N, 1, 1, 1)."""
        sizes = tuple(mask.shape)
        full = (*sequences.shape[:2], *self._state_sizes)  # (N, T, h, w, F)
        if len(sizes) < 2 or sizes != full[: len(sizes)]:
            raise ValueError(
                f"{self._title}: mask must have shape {full[:2]}, one value for each step, or "
                f"further sizes of {full}. Received shape: {sizes}"
            )
        return unstack(reshape(cast(mask, bool), sizes + (1,) * (len(full) - len(sizes))), axis=1)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """That of the inputs for outputs after every step; states have none."""
        mask = flatten(previous_mask)[0] if self.return_sequences else None
        return [mask, None, None] if self.return_state else mask

    # ----- what is known without values -----

    def compute_output_shape(  # type: ignore[override]
        self, sequences_shape: Any, initial_state_shape: Any = None
    ) -> Any:
        """(N, output sizes, F), with an axis of steps, and with states, if they are returned."""
        batch, steps, *rest = sequences_shape
        state = self._output_shape((batch, *rest), self.filters)
        y = (batch, steps, *state[1:]) if self.return_sequences else state
        return (y, state, state) if self.return_state else y

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """KerasTensors like the outputs."""
        shape = self.compute_output_shape(calling.first(args, kwargs).shape)
        return calling.symbols(shape, self.compute_dtype)

    def macs(self, output_shape: Any) -> int:
        """Taps and channels of both kernels for every number of a gate, at every step."""
        taps = sum(math.prod(k.shape[:-1]) for k in (self.cell.kernel, self.cell.recurrent_kernel))
        steps = output_shape[1] if self.return_sequences else self._steps or 1
        return int(4 * taps * steps * math.prod(self._state_sizes))

    def get_config(self) -> dict[str, Any]:
        """What it was made with."""
        names = ("unroll", "zero_output_for_mask")
        return super().get_config() | {name: getattr(self, name) for name in names}


def _rate(name: str, value: Any) -> float:
    """A probability; what is less or more is the nearest one, as in Keras."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"`{name}` must be a number in [0, 1]. Received: {name}={value!r}")
    return min(1.0, max(0.0, value))


ConvLSTM1D, ConvLSTM2D, ConvLSTM3D = of_each_rank(
    "ConvLSTM",
    ConvLSTM,
    _CONV_LSTM,
    {
        "example": """>>> layer = tf.keras.layers.ConvLSTM{rank}D(4, 3, return_sequences=True)
    >>> layer(tf.ones([2, 3, {each:6}, 1])).shape
    TensorShape([2, 3, {each:4}, 4])"""
    },
)
