"""Loss: one number per sample, and how the numbers become one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.array import cast, expand_dims, squeeze
from minitensor.autograd import Tensor, as_tensor, replicas
from minitensor.keras.engine import dtype_policy
from minitensor.keras.engine.annotations import annotation
from minitensor.keras.serialization import names
from minitensor.keras.serialization.config import Configurable
from minitensor.math import divide_no_nan, logical_and, reduce_sum

REDUCTIONS = ("sum_over_batch_size", "sum", None, "none", "mean", "mean_with_sample_weight")


class Reduction:
    """The words of `reduction` under the names of Keras 2: Reduction.SUM is "sum".

    Source: keras.losses.Reduction (Keras 2)
    """

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


class Loss(Configurable):
    """How far predictions are from the truth: subclass it and write `call`.

    loss = reduction(weights * call(y_true, y_pred))

    Args:
        name: default the class.
        reduction: "sum_over_batch_size" or "mean" for the mean, "mean_with_sample_weight" for the
            sum divided by that of the weights, "sum", or "none" for a number per sample.
        dtype: the float type it computes in; default `keras.config.floatx()`.

    Raises:
        ValueError: another reduction.

    Example:
        >>> import minitensor as tf
        >>> class Worst(tf.keras.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return tf.keras.losses.mean_absolute_error(y_true, y_pred)
        >>> Worst()([[0.0], [1.0]], [[1.0], [3.0]], sample_weight=[1.0, 2.0]).numpy()
        np.float32(2.5)
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        reduction = "sum_over_batch_size" if reduction == Reduction.AUTO else reduction
        if reduction not in REDUCTIONS:
            raise ValueError(
                "Invalid value for argument `reduction`. Expected one of "
                f"{REDUCTIONS}. Received: reduction={reduction}"
            )
        self.name = name or names.fresh(type(self))
        self.reduction = reduction
        self._dtype = dtype_policy.of_numbers(dtype)

    @property
    def dtype(self) -> str:
        """The float type it computes in."""
        return self._dtype

    def call(self, y_true: Tensor, y_pred: Tensor) -> Any:
        """One number per sample."""
        raise NotImplementedError(f"Loss {type(self).__name__} does not have a `call` method.")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        prediction = floats(y_pred, self.dtype)
        values = self.call(floats(y_true, self.dtype, prediction), prediction)
        mask = both_masks(y_pred, values)
        return reduced(floats(values, self.dtype), sample_weight, mask, self.reduction)

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with; the type only if it is not the usual one."""
        config = super().get_config()
        if config.get("dtype") is None:
            config.pop("dtype", None)
        return config


class LossFunctionWrapper(Loss):
    """A loss from a function of the truth and the predictions.

    loss = reduction(weights * fn(y_true, y_pred, **kwargs))

    Args:
        fn: a function that gives one number per sample, or the name of one of ours.
        reduction, name, dtype: see `Loss`.
        kwargs: more arguments of `fn`.

    Raises:
        ValueError: another reduction.

    Example:
        >>> import minitensor as tf
        >>> loss = tf.keras.losses.LossFunctionWrapper(tf.keras.losses.huber, delta=2.0)
        >>> loss([[0.0]], [[3.0]]).numpy()
        np.float32(4.0)
    """

    def __init__(
        self,
        fn: Callable[..., Tensor],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.fn, self._settings = named(fn), kwargs

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """What the function gives; a last axis of size 1 that one of the two has is no matter."""
        return self.fn(*same_rank(y_true, y_pred), **self._settings)


# ----- arguments -----


def named(fn: Any) -> Callable[..., Tensor]:
    """A function, by itself or by its name in `keras.losses`: so it stands in a file."""
    if not isinstance(fn, str):
        return fn
    from minitensor.keras import losses

    return losses.get(fn)


def floats(value: Any, dtype: Any = None, like: Tensor | None = None) -> Tensor:
    """A tensor of this float type, or of its own if none is said and it is a float type."""
    tensor = as_tensor(value, None, "value", like)
    if dtype is None:
        dtype = tensor.dtype if tensor.dtype.kind in "fV" else dtype_policy.of_numbers(None)
    return tensor if tensor.dtype == dtype else cast(tensor, dtype)


def pair(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Truth and predictions as tensors of the type of the predictions."""
    prediction = floats(y_pred)
    return floats(y_true, prediction.dtype, prediction), prediction


def same_rank(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Adds or drops a last axis of size 1 if one of the two has it alone."""
    if a.ndim == b.ndim + 1:
        b, a = same_rank(b, a)
    elif b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        if a.ndim == 1:
            a = expand_dims(a, -1)
        else:
            b = squeeze(b, -1)
    return a, b


# ----- reduction -----


def reduced(values: Tensor, weights: Any, mask: Tensor | None, reduction: str | None) -> Tensor:
    """One number, or with "none" all of them, each times its weight."""
    weight = masked(weights, mask, values, reduction in ("mean", "sum_over_batch_size"))
    if weight is not None:
        values, weight = same_rank(values, weight)
        values = values * weight
    if reduction in (None, "none") or tuple(values.shape) in ((), (0,)):
        return values
    total = reduce_sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weight is not None:
        return shared_out(divide_no_nan(total, reduce_sum(weight)))
    return shared_out(total / float(n) if (n := values.shape.num_elements()) else total)


def shared_out(loss: Tensor) -> Tensor:
    """A mean as the replica's part of the mean over all of `tf.distribute`'s replicas."""
    part = replicas.share()
    return loss if part is None else loss * part


def both_masks(y_pred: Any, values: Any) -> Tensor | None:
    """What counts in a prediction, and among the values that a function made of it."""
    inside, outside = annotation(y_pred, "mask"), annotation(values, "mask")
    if inside is None or outside is None:
        return inside if outside is None else outside
    return logical_and(cast(inside, bool), cast(outside, bool))


def masked(weights: Any, mask: Tensor | None, values: Tensor, mean: bool) -> Tensor | None:
    """Weights that are 0 where the mask is; for a mean the others grow to make up for it."""
    weight = None if weights is None else floats(weights, values.dtype, values)
    if mask is None:
        return weight
    kept = cast(mask, values.dtype)
    if mean:
        kept = kept * divide_no_nan(float(kept.shape.num_elements()), reduce_sum(kept))
    if weight is None:
        return kept
    kept, weight = same_rank(kept, weight)
    return weight * kept
