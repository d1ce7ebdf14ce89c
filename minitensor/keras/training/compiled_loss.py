"""The loss of a model: a loss for each output, weighted and added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minitensor.array import cast
from minitensor.autograd import Tensor, as_tensor, to_device_of
from minitensor.autograd.tree import flatten
from minitensor.keras import losses
from minitensor.keras.engine import defaults
from minitensor.keras.metrics import Mean
from minitensor.keras.training.outputs import Outputs


class LossTracker(Mean):
    """The mean of losses that are one number for so many samples: Mean's sums, without ops."""

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes a loss in; `sample_weight` is the number of samples."""
        loss = as_tensor(values)
        if loss.ndim or not isinstance(sample_weight, int):
            super().update_state(values, sample_weight)
            return
        value, weight = np.asarray([loss.numpy(), sample_weight], self.total.array.dtype)
        for variable, more in ((self.total, value * weight), (self.count, weight)):
            variable.array = to_device_of(variable.numpy() + more, like=variable).array

    def result(self) -> Tensor:
        """The mean so far; 0 of nothing."""
        total, count = self.total.numpy(), self.count.numpy()
        return to_device_of(total / count if count else total, like=self.total)


@dataclass
class _Part:
    """The loss of one output."""

    place: int
    loss: Any
    weight: float | None
    tracker: Any


class CompiledLoss:
    """What `compile` was told of losses; which loss is whose is known with the first outputs.

    L = sum over outputs i of weight_i loss_i(y_i, y_pred_i)

    Args:
        loss: a name, a function or a Loss, or a list or dictionary of them.
        weights: a number, or a list or dictionary of them; default 1.
        output_names: of a functional model, else None.

    Raises:
        ValueError: `weights` is of another kind.
    """

    def __init__(self, loss: Any, weights: Any, output_names: list[str] | None) -> None:
        if weights is not None and not isinstance(weights, list | tuple | dict | int | float):
            raise ValueError(
                "Expected `loss_weights` argument to be a float (single output case) or a list, "
                "tuple, or dict (multiple output case). Received instead: "
                f"loss_weights={weights} of type {type(weights)}"
            )
        if isinstance(weights, list | tuple) and any(isinstance(w, str) for w in weights):
            raise ValueError(
                f"`loss_weights` are numbers. Received: loss_weights={weights}. Metrics go "
                f"by name: compile(optimizer, loss, metrics={weights})"
            )
        self._loss, self._weights, self._names = loss, weights, output_names
        self._outputs: Outputs | None = None
        self._parts: list[_Part] = []
        self._needed: list[bool] = []  # whether a loss takes the target of each output

    @property
    def built(self) -> bool:
        """Whether the outputs are known."""
        return self._outputs is not None

    @property
    def metrics(self) -> list[Any]:
        """The mean of each loss, if there are several."""
        return [part.tracker for part in self._parts if part.tracker is not None]

    def __call__(self, y: Any, y_pred: Any, sample_weight: Any = None) -> Tensor | None:
        """The loss; None if no output has one."""
        if y_pred is None:
            raise ValueError("The model gave None: does its `call` end without a `return`?")
        if y is None:
            raise ValueError("The loss needs targets: fit(x, y), validation_data=(x, y)")
        if self._outputs is None:
            self.build(y, y_pred)
        assert self._outputs is not None
        targets = self._outputs.of_targets(y, self._needed)
        predictions = self._outputs.of_prediction(y_pred)
        weights = self._outputs.of_sample_weights(sample_weight)
        values: list[Any] = []
        for part in self._parts:
            i = part.place
            value = cast(part.loss(targets[i], predictions[i], weights[i]), defaults.floatx())
            if part.tracker is not None:
                part.tracker.update_state(value, sample_weight=predictions[i].shape[0])
            values.append(value if part.weight is None else value * part.weight)
        return sum(values[1:], values[0]) if values else None

    def build(self, y: Any, y_pred: Any) -> None:
        """Finds out which loss belongs to which output."""
        outputs = Outputs.of(y_pred, self._names)
        losses = self._each(self._loss, outputs, "loss")
        weights = self._each(self._weights, outputs, "loss_weights")
        self._needed = [loss is not None for loss in losses]
        targets = outputs.of_targets(y, self._needed)
        predictions = outputs.of_prediction(y_pred)
        for i, (identifier, weight) in enumerate(zip(losses, weights, strict=True)):
            if identifier is not None:
                loss = resolved_loss(identifier, targets[i], predictions[i])
                self._parts.append(_Part(i, loss, weight, None))
        if len(self._parts) > 1:
            for part in self._parts:
                name = outputs.names[part.place] or part.loss.name
                part.tracker = Mean(name=f"{name}_loss")
        self._outputs = outputs

    def _each(self, given: Any, outputs: Outputs, what: str) -> list[Any]:
        if not isinstance(given, list | tuple | dict):
            return [given] * len(outputs)
        if len(outputs) == 1:
            given = flatten(given)
        return outputs.settings(given, what)


def resolved_loss(identifier: Any, y: Any, y_pred: Any) -> Any:
    """A Loss from a name, a class, a function or a Loss."""
    if str(identifier).lower() in ("crossentropy", "ce"):
        found = losses.get(f"{kind_of_classes(y, y_pred)}_crossentropy")
    else:
        found = losses.get(identifier)
    if isinstance(found, losses.Loss):
        return found
    name = identifier if isinstance(identifier, str) else getattr(found, "__name__", None)
    return losses.LossFunctionWrapper(found, name=name)


def kind_of_classes(y: Any, y_pred: Any) -> str:
    """ "binary", "sparse_categorical" or "categorical": what the shapes of labels and outputs say.

    Args:
        y: labels (N,), (N, 1) or one-hot (N, C).
        y_pred: (N, C)
    """
    if y_pred.shape[-1] == 1:
        return "binary"
    numbers = y.ndim < y_pred.ndim or y.shape[-1] == 1
    return "sparse_categorical" if numbers else "categorical"
