"""MultiHeadAttention: every place of a sequence looks at the places of another.

Letters: B batch, T places that look, S places looked at, N heads, H numbers of a head.
"""

from __future__ import annotations

import string
from typing import Any, Unpack

import numpy as np

from minitensor import nn
from minitensor.array import cast, expand_dims, reshape, where
from minitensor.autograd import as_tensor
from minitensor.dtypes import as_dtype
from minitensor.keras import regularizers
from minitensor.keras.engine import masking
from minitensor.keras.engine.layer import Layer, Named
from minitensor.keras.layers.activation import Softmax, check_mask
from minitensor.keras.layers.affine import read_rules
from minitensor.keras.layers.dropout import Dropout
from minitensor.keras.layers.einsum_dense import EinsumDense
from minitensor.keras.layers.geometry import positive
from minitensor.keras.serialization.objects import serialize
from minitensor.math import logical_and
from minitensor.ops.linalg import einsum

_WEIGHTS = ("kernel", "bias")
_LETTERS = string.ascii_lowercase


class MultiHeadAttention(Layer):
    """For each place of a query, the mean of values weighted by how alike query and key are.

    y = output(softmax(query(q) key(k)^T / sqrt(key_dim)) value(v)), in each head, with four dense
    layers

    Args:
        num_heads: heads.
        key_dim: numbers of a head for query and key.
        value_dim: numbers of a head for the value; default `key_dim`.
        dropout: probability that a weight of the mean is 0 in training.
        use_bias: whether the dense layers add a bias.
        output_shape: sizes of the result at each place; default the query's.
        attention_axes: of the query, over which is looked; default all but batch and last.
        sliding_window: only places nearer than this are looked at; None: all.
        flash_attention: must stay None.
        kernel_initializer, bias_initializer: names or functions of a shape.
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss.
        kernel_constraint, bias_constraint: applied after every update.
        use_gate: whether the heads are multiplied by a sigmoid of the query.
        seed: of the dropout.
        kwargs: what every Layer takes.

    Raises:
        ValueError: sizes that are not positive, or shapes that do not fit.

    Example:
        >>> import minitensor as tf
        >>> layer = tf.keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
        >>> x = tf.ones([1, 8, 16])
        >>> y, weights = layer(x, tf.ones([1, 5, 16]), return_attention_scores=True)
        >>> y.shape, weights.shape
        (TensorShape([1, 8, 16]), TensorShape([1, 2, 8, 5]))

    Source: keras.layers.MultiHeadAttention; Vaswani et al. 2017
    """

    _supports_masking = True
    _settled = True

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None = None,
        flash_attention: Any = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: Any = None,
        **kwargs: Unpack[Named],
    ) -> None:
        super().__init__(**kwargs)
        if flash_attention:
            raise ValueError("MultiHeadAttention: flash_attention must be None; leave it out.")
        self.num_heads = positive("num_heads", num_heads)
        self.key_dim = positive("key_dim", key_dim)
        self.value_dim = positive("value_dim", value_dim) if value_dim else self.key_dim
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        self._output_shape = _sizes(output_shape) if output_shape else None
        self.attention_axes = _sizes(attention_axes) if attention_axes is not None else None
        self.sliding_window = sliding_window and positive("sliding_window", sliding_window)
        read_rules(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        read_rules(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._activity = regularizers.get(activity_regularizer)  # of each dense layer

    def build(  # type: ignore[override]
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        _check(value_shape, key_shape)
        heads = (self.num_heads, self.key_dim)
        self._query_dense = self._dense("query", query_shape, 1, heads)
        self._key_dense = self._dense("key", key_shape, 1, heads)
        if self.use_gate:
            gates = (self.num_heads, self.value_dim)
            self._gate_dense = self._dense("gate", query_shape, 1, gates, "sigmoid")
        self._value_dense = self._dense("value", value_shape, 1, (self.num_heads, self.value_dim))
        rank = len(value_shape) + 1  # of what the dense layers give
        axes = range(1, rank - 2) if self.attention_axes is None else self.attention_axes
        self.attention_axes = tuple(axis if axis >= 0 else rank - 1 + axis for axis in axes)
        self._weigh, self._combine = _equations(rank, self.attention_axes)
        last = tuple(range(-len(self.attention_axes), 0))
        self._softmax = Softmax(last, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy, seed=self.seed)
        inside = (*query_shape[:-1], self.num_heads, self.value_dim)
        sizes = self._output_shape or (query_shape[-1],)
        self._output_dense = self._dense("attention_output", inside, 2, sizes)

    def _dense(
        self, name: str, shape: Any, bound: int, sizes: Any, activation: Any = None
    ) -> EinsumDense:
        """A dense layer from the last `bound` axes of a shape to axes of these sizes."""
        free = len(shape) - bound
        kept, summed = _LETTERS[:free], _LETTERS[free : free + bound]
        new = _LETTERS[free + bound : free + bound + len(sizes)]
        words = ("initializer", "regularizer", "constraint")
        rules = {f"{w}_{word}": getattr(self, f"{w}_{word}") for w in _WEIGHTS for word in words}
        rules |= {name: _fresh(rule) for name, rule in rules.items() if "initializer" in name}
        layer = EinsumDense(
            f"{kept}{summed},{summed}{new}->{kept}{new}",
            (*[None] * (free - 1), *sizes),
            activation,
            new if self.use_bias else None,
            **rules,
            activity_regularizer=self._activity,
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build(shape)
        return layer

    @property
    def query_dense(self) -> EinsumDense:
        """The dense layer of the query."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        """The dense layer of the key."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        """The dense layer of the value."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        """The dense layer behind the heads."""
        return self._output_dense

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """What each place of the query finds.

        Args:
            query: (B, T, C).
            value, key: (B, S, C) each; the key is the value by default.
            value_mask, key_mask: (B, S), the masks of these by default.
            query_mask: ignored, as Keras does; the mask that the query has counts.
            attention_mask: (B, T, S), where it is looked at; or with an axis for the heads.
            return_attention_scores: whether the weights (B, N, T, S) are returned too.
            training: whether there is dropout.
            use_causal_mask: whether no place looks behind itself.
        """
        key = value if key is None else key
        query_mask = masking.mask_of(query)
        for x in (query, value, key):  # what they say is heeded here, not by the dense layers
            masking.set_mask(x, None)
        masks = (
            None if query_mask is None else expand_dims(query_mask, -1),  # (B, T, 1)
            *(None if m is None else expand_dims(m, -2) for m in (value_mask, key_mask)),
            self._near(query, value, use_causal_mask),  # (1, T, S)
            attention_mask,
        )
        kept = None
        for mask in masks:
            if mask is not None:
                kept = cast(mask, bool) if kept is None else logical_and(kept, cast(mask, bool))
        heads = (self._query_dense(query), self._key_dense(key), self._value_dense(value))
        found, weights = self._compute_attention(*heads, kept, training, return_attention_scores)
        if self.use_gate:
            found = found * self._gate_dense(query)
        y = self._output_dense(found)
        if query_mask is not None:
            masking.set_mask(y, query_mask)
        return (y, weights) if return_attention_scores else y

    def _near(self, query: Any, value: Any, causal: bool) -> Any:
        """(1, T, S): which places see which, by their distance; None if all do."""
        if not causal and self.sliding_window is None:
            return None
        ahead = np.arange(query.shape[1])[:, None] - np.arange(value.shape[1])  # (T, S)
        seen = ahead >= 0 if causal else np.ones_like(ahead, bool)
        if self.sliding_window is not None:
            seen &= abs(ahead) < self.sliding_window
        return as_tensor(seen[None], like=query)

    def _compute_attention(
        self,
        query: Any,
        key: Any,
        value: Any,
        attention_mask: Any = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
    ) -> tuple[Any, Any]:
        """What heads find, and the weights: (B, T, N, H), (B, N, T, S)."""
        scores = einsum(key, query * self.key_dim**-0.5, equation=self._weigh)  # (B, N, T, S)
        if attention_mask is not None:
            places = 2 * len(self.attention_axes or ())
            heads = attention_mask.ndim - places
            if heads < 0:
                raise ValueError(
                    f"{type(self).__name__}: a mask of shape {tuple(attention_mask.shape)} has "
                    f"{attention_mask.ndim} axes, but attention along {places // 2} axes needs "
                    f"{places + 1}: (batch, places of the query, places of the value)"
                )
            sizes = list(attention_mask.shape)
            sizes[heads:heads] = [1] * (scores.ndim - attention_mask.ndim)
            attention_mask = reshape(attention_mask, sizes)
        if self.dropout or return_attention_scores or query.ndim != 4:
            weights = self._softmax(scores, mask=attention_mask)
        else:  # where nothing may be seen all is seen alike, as in Keras' fused attention
            if attention_mask is not None:
                check_mask(scores, attention_mask)
                largest = float(as_dtype(scores.dtype).max)  # type: ignore[attr-defined]
                scores = where(attention_mask, scores, -0.7 * largest)
            weights = nn.softmax(scores)
        dropped = self._dropout_layer(weights, training=bool(training))
        return einsum(dropped, value, equation=self._combine), weights

    def compute_output_shape(  # type: ignore[override]
        self, query_shape: Any, value_shape: Any, key_shape: Any = None
    ) -> Any:
        """The query's, with `output_shape` as its last sizes."""
        _check(value_shape, value_shape if key_shape is None else key_shape)
        return (*query_shape[:-1], *(self._output_shape or query_shape[-1:]))

    def get_config(self) -> dict[str, Any]:
        """What it was made with."""
        config = super().get_config()
        config.pop("flash_attention")
        own = {"output_shape": self._output_shape, "activity_regularizer": self._activity}
        return config | {name: serialize(value) for name, value in own.items()}


def _sizes(value: Any) -> tuple[int, ...]:
    """Integers in a tuple."""
    found = (value,) if isinstance(value, int) else value
    if not isinstance(found, list | tuple):
        raise ValueError(
            "`output_shape` and `attention_axes` must be an int, list, or tuple. "
            f"Received: {value!r}"
        )
    return tuple(found)


def _fresh(rule: Any) -> Any:
    """An initializer like this one that begins its own draws."""
    return type(rule).from_config(rule.get_config())


def _check(value_shape: Any, key_shape: Any) -> None:
    if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
        raise ValueError(
            "All dimensions of `value` and `key`, except the last one, must be equal. Received: "
            f"value_shape={value_shape} and key_shape={key_shape}"
        )


def _equations(rank: int, axes: tuple[int, ...]) -> tuple[str, str]:
    """Einsum for key, query -> weights, and for weights, value -> what is found."""
    query = _LETTERS[:rank]
    looked = "".join(
        x if i == rank - 1 or (i not in axes) else _LETTERS[rank + i] for i, x in enumerate(query)
    )
    batch = "".join(x for i, x in enumerate(query) if i not in axes and i != rank - 1)
    weights = batch + "".join(query[i] for i in axes) + "".join(looked[i] for i in axes)
    return f"{looked},{query}->{weights}", f"{weights},{looked}->{query}"
