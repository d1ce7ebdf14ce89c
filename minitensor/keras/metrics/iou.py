"""Intersection over union: how well regions of an image are told apart.

Args of all: num_classes, target_class_ids, name, dtype, ignore_class, sparse_y_true, sparse_y_pred
and axis, see `IoU`. Raises of all: ValueError, a class that does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.keras.engine import defaults
from minitensor.keras.metrics.metric import Metric, gather


class IoU(Metric):
    """How much of two regions is common to both, for some classes of pixels.

    result = mean over the classes of (true positives / (true + false positives + false negatives))

    Args:
        num_classes: how many classes there are; predictions of others are left out.
        target_class_ids: the classes of the mean.
        name: see `Metric`.
        dtype: type of the table of counts; default int64.
        ignore_class: a label whose pixels are left out.
        sparse_y_true, sparse_y_pred: whether they are class numbers, and no scores per class.
        axis: of the scores.

    Example:
        >>> import minitensor as tf
        >>> iou = tf.keras.metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> iou([0, 0, 1, 1], [0, 1, 0, 1]).numpy().round(3)
        np.float32(0.333)
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype or "int64", name)
        self.num_classes = num_classes
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_cm = self.add_variable((num_classes, num_classes), name="total_confusion_matrix")
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"Target class id {max(target_class_ids)} is out of range, which is "
                f"[0, {num_classes})."
            )
        self.target_class_ids = list(target_class_ids)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch."""
        t = self._classes(y_true, self.sparse_y_true)
        p = self._classes(y_pred, self.sparse_y_pred)
        weight = np.asarray(1 if sample_weight is None else sample_weight).astype(self.dtype)
        weight = np.broadcast_to(weight.reshape(-1) if weight.ndim else weight, t.shape)
        n = self.num_classes
        kept = (t >= 0) & (t < n) & (p >= 0) & (p < n)
        if self.ignore_class is not None:
            kept &= t != self.ignore_class
        table = np.bincount(t[kept] * n + p[kept], weight[kept], n * n)
        gather(self.total_cm, table.reshape(n, n))  # (true, predicted)

    def _classes(self, values: Any, sparse: bool) -> np.ndarray:
        found = np.asarray(values)
        return (found if sparse else found.argmax(self.axis)).astype(np.int64).reshape(-1)

    def result(self) -> Tensor:
        """The mean so far, over the classes that occur."""
        table, least = self.total_cm.numpy(), np.float32(defaults.epsilon())
        common = table.diagonal()
        union = (table.sum(0) + table.sum(1) - common)[self.target_class_ids].astype(np.float32)
        there = union > 1e-9
        shares = common[self.target_class_ids].astype(np.float32) / (union + least)
        total = np.where(there, shares, np.float32(0)).sum()
        return as_tensor(np.asarray(total / (there.sum(dtype=np.float32) + least)))


class BinaryIoU(IoU):
    """How much of two regions is common to both, for predictions that are probabilities.

    result = that of `IoU` for the classes y_pred >= threshold

    Args:
        target_class_ids: the classes of the mean, among 0 and 1.
        threshold: from there a prediction is class 1.

    Example:
        >>> import minitensor as tf
        >>> iou = tf.keras.metrics.BinaryIoU(threshold=0.3)
        >>> iou([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]).numpy().round(3)
        np.float32(0.333)
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch."""
        found = np.asarray(y_pred, np.float32) >= np.float32(self.threshold)
        super().update_state(y_true, found, sample_weight)


class MeanIoU(IoU):
    """How much of two regions is common to both, for all classes of pixels.

    result = that of `IoU` for all classes

    Example:
        >>> import minitensor as tf
        >>> tf.keras.metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1]).numpy().round(3)
        np.float32(0.333)
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(
            *(num_classes, range(num_classes), name, dtype, ignore_class),
            *(sparse_y_true, sparse_y_pred, axis),
        )


class OneHotIoU(IoU):
    """`IoU` for truth and predictions that are scores per class.

    result = that of `IoU` for argmax(y_true) and argmax(y_pred)

    Example:
        >>> import minitensor as tf
        >>> iou = tf.keras.metrics.OneHotIoU(2, [0])
        >>> iou([[1.0, 0.0], [0.0, 1.0]], [[0.6, 0.4], [0.7, 0.3]]).numpy().round(3)
        np.float32(0.5)
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            *(num_classes, target_class_ids, name, dtype, ignore_class),
            *(False, sparse_y_pred, axis),
        )


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` for truth and predictions that are scores per class.

    result = that of `MeanIoU` for argmax(y_true) and argmax(y_pred)

    Example:
        >>> import minitensor as tf
        >>> iou = tf.keras.metrics.OneHotMeanIoU(2)
        >>> iou([[1.0, 0.0], [0.0, 1.0]], [[0.6, 0.4], [0.7, 0.3]]).numpy().round(3)
        np.float32(0.25)
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
