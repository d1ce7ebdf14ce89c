"""True and false, positive and negative: the four counts, and what follows from them.

Args of all: thresholds, above which a prediction is a yes, a number or several in [0, 1], default
0.5, of which each gets its own result; name and dtype, see `Metric`. Raises of all: ValueError, a
threshold outside [0, 1].
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor, as_tensor
from minitensor.docstrings import examples_of
from minitensor.keras.metrics.counts import NEVER, counted, evenly, prepared, thresholds_of
from minitensor.keras.metrics.metric import Metric, gather, ratio
from minitensor.keras.serialization.names import snake_case

__all__ = [
    "FalseNegatives", "FalsePositives", "Precision", "Recall", "TrueNegatives", "TruePositives",
]  # fmt: skip

example = examples_of("tf.keras.metrics")


class _Counting(Metric):
    """Keeps some of the four counts, of one or several thresholds."""

    kept: tuple[str, ...] = ()

    def _begin(
        self, thresholds: Any, top_k: int | None = None, class_id: int | None = None
    ) -> None:
        self.top_k, self.class_id = top_k, class_id
        self.thresholds = thresholds_of(thresholds, 0.5 if top_k is None else NEVER)
        for name in self.kept:
            setattr(self, name, self.add_variable((len(self.thresholds),), name=name))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch."""
        batch = prepared(y_true, y_pred, sample_weight, self.dtype, self.top_k, self.class_id)
        counts = counted(*batch, self.thresholds, evenly(self.thresholds))
        for name in self.kept:
            gather(getattr(self, name), getattr(counts, name))

    def _each(self, found: Tensor) -> Tensor:
        """A number if there is one threshold, else one per threshold."""
        return found[0] if len(self.thresholds) == 1 else found


class _Count(_Counting):
    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self._begin(thresholds)

    def result(self) -> Tensor:
        """The count so far."""
        return self._each(getattr(self, self.kept[0]).value())


def _count(name: str, says: str, where: str, prints: str) -> Any:
    """The class of one of the four counts."""
    text = f"{says}\n\nresult = sum(weights where {where})"
    kept = (snake_case(name),)
    cls = type(name, (_Count,), {"kept": kept, "__module__": __name__, "__doc__": text})
    return example(f"{name}()([0, 1, 1], [0.9, 0.8, 0.1])", f"np.float32({prints})")(cls)


# fmt: off
TruePositives = _count("TruePositives", "How often a yes was predicted rightly.",
    "y_true = 1 and y_pred > threshold", "1.0")
FalsePositives = _count("FalsePositives", "How often a yes was predicted wrongly.",
    "y_true = 0 and y_pred > threshold", "1.0")
TrueNegatives = _count("TrueNegatives", "How often a no was predicted rightly.",
    "y_true = 0 and y_pred <= threshold", "0.0")
FalseNegatives = _count("FalseNegatives", "How often a no was predicted wrongly.",
    "y_true = 1 and y_pred <= threshold", "1.0")
# fmt: on


class _Share(_Counting):
    _direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self._begin(thresholds, top_k, class_id)

    def result(self) -> Tensor:
        """The share so far."""
        right, wrong = (getattr(self, name) for name in self.kept)
        share = ratio(right.numpy(), right.numpy() + wrong.numpy())
        return self._each(as_tensor(share, like=right))


@example("Precision()([0, 1, 1], [0.9, 0.8, 0.1])", "np.float32(0.5)")
class Precision(_Share):
    """How many of those predicted as a yes are one.

    result = true positives / (true positives + false positives)

    Args:
        top_k: of the classes of a sample only the k most strongly predicted are a yes.
        class_id: the only class that counts.
    """

    kept = ("true_positives", "false_positives")


class Recall(_Share):
    """How many of those that are a yes are predicted as one.

    result = true positives / (true positives + false negatives)

    Args:
        top_k, class_id: see `Precision`.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.metrics.Recall()([0, 1, 1, 1], [0.9, 0.8, 0.1, 0.2]).numpy().round(3)
        np.float32(0.333)
    """

    kept = ("true_positives", "false_negatives")
