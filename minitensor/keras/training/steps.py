"""One batch at a time: the steps that fit, evaluate and predict repeat; they may be overridden.

Source of all: keras.Model, under the same name.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd import GradientTape, replicas
from minitensor.autograd.tree import flatten, map_structure
from minitensor.keras.callbacks.base import float_logs
from minitensor.keras.engine.weight import path_of
from minitensor.keras.training.batches import (
    floats_cast,
    mapped_numbers,
    unpack_x_y_sample_weight,
    weights_of_classes,
)
from minitensor.keras.training.compiled_metrics import CompiledMetrics
from minitensor.keras.training.compiling import Compiling
from minitensor.keras.training.finite import StepGuard, check_logs, step_description
from minitensor.keras.training.replicated import gradients_of_all, on_replicas, sums_given


class Steps(Compiling):
    """The part of a model that trains, tests and predicts on a batch."""

    train_function: Callable[..., Any] | None = None
    test_function: Callable[..., Any] | None = None
    predict_function: Callable[..., Any] | None = None

    def train_step(self, data: Any) -> dict[str, Any]:
        """Makes one update; override it for a training of your own.

        Args:
            data: x, (x, y) or (x, y, sample_weight).

        Returns:
            {name: value} of the metrics, the mean loss among them.

        Raises:
            NonFiniteError: the loss or a gradient is not finite; nothing was changed.
        """
        if not self.built:  # type: ignore[attr-defined]
            build(self, lambda: data)
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        guard = StepGuard(self, (x, y, sample_weight), forward)
        with GradientTape() as tape:
            y_pred, loss = forward(self, x, y, sample_weight)
            scaled = self.optimizer.scale_loss(loss)
        gradients, total = gradients_of_all(tape, scaled, guard.learning, loss)
        if checks_loss(self):
            guard.check(total, gradients)
        self._track(loss, x)
        if gradients:
            with sums_given():
                self.optimizer.apply_gradients(zip(gradients, guard.learning, strict=True))
        else:
            warnings.warn("The model does not have any trainable weights.", stacklevel=2)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Shows one batch to the metrics; override it for a test of your own.

        Args:
            data: x, (x, y) or (x, y, sample_weight).

        Returns:
            {name: value} of the metrics, the mean loss among them.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)  # type: ignore[operator]
        loss = self._loss_of(x, y, y_pred, sample_weight, False)
        self._track(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def _track(self, loss: Any, x: Any) -> None:
        """Takes a loss into the mean of all samples."""
        part, count = replicas.share(), _samples(x)
        if part is not None:
            if not count:  # a replica for which a small batch had nothing left
                return
            loss = loss / part
        self._assert_compiled().tracker.update_state(loss, sample_weight=count)

    def predict_step(self, data: Any) -> Any:
        """What the model gives for a batch. Source: keras.Model.predict_step"""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)  # type: ignore[operator]

    # ----- the functions of whole loops, which a program may write -----

    def make_train_function(self, force: bool = False) -> Callable[..., Any]:
        """Makes `train_function(iterator)`, a step of training. `force`: also if there is one."""
        return _made(self, "train", force)

    def make_test_function(self, force: bool = False) -> Callable[..., Any]:
        """Makes `test_function(iterator)`, a step of a test. `force`: also if there is one."""
        return _made(self, "test", force)

    def make_predict_function(self, force: bool = False) -> Callable[..., Any]:
        """Makes `predict_function(iterator)`, of a batch. `force`: also if there is one."""
        return _made(self, "predict", force)

    # ----- the same for a program that has its own loop -----

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Makes one update.

        Args:
            x: inputs, as the model takes them.
            y: targets.
            sample_weight: a weight for each sample, (N,).
            class_weight: {class: weight} instead.
            return_dict: whether to return {name: value} instead of a list.

        Returns:
            The loss if there are no metrics, else [loss, metrics...], of this batch.

        Raises:
            NonFiniteError: the loss or a gradient is not finite; nothing was changed.
            ValueError: not compiled, or both kinds of weights.

        Example:
            >>> import minitensor as tf
            >>> import numpy as np
            >>> model = tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> model.set_weights([np.zeros((1, 1)), np.zeros(1)])
            >>> model.train_on_batch(np.ones((4, 1)), 2.0 * np.ones((4, 1)))
            4.0
        """
        self._assert_compiled()
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError(
                    "Arguments `sample_weight` and `class_weight` cannot be specified at the same "
                    f"time. Received: sample_weight={sample_weight}, class_weight={class_weight}"
                )
            sample_weight = weights_of_classes(y, class_weight)
        self.reset_metrics()
        logs = float_logs(step_of(self, "train")(_tensors((x, y, sample_weight))))
        return logs if return_dict else in_order(self, logs)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """The loss and the metrics of a batch, without an update.

        Args:
            x, y, sample_weight, return_dict: as for `train_on_batch`.

        Returns:
            The loss if there are no metrics, else [loss, metrics...].

        Raises:
            ValueError: not compiled.
        """
        self._assert_compiled()
        self.reset_metrics()
        logs = float_logs(step_of(self, "test")(_tensors((x, y, sample_weight))))
        return logs if return_dict else in_order(self, logs)

    def predict_on_batch(self, x: Any) -> Any:
        """What the model gives for a batch, as NumPy arrays."""
        return map_structure(np.asarray, step_of(self, "predict")((_tensors(x),)))


def forward(model: Any, x: Any, y: Any, sample_weight: Any) -> tuple[Any, Any]:
    """What a model gives in training, and the loss."""
    y_pred = model(x, training=True)
    return y_pred, model._loss_of(x, y, y_pred, sample_weight, True)


def run_train_step(model: Any, data: Any) -> dict[str, Any]:
    """A step of training, looked at afterwards if it is the program's own."""
    logs = model.train_step(data)
    if checks_loss(model) and type(model).train_step is not Steps.train_step:
        check_logs(logs, step_description(model))
    return logs


def _run(model: Any, kind: str, data: Any) -> Any:
    """A step of "train", "test" or "predict"."""
    return run_train_step(model, data) if kind == "train" else getattr(model, f"{kind}_step")(data)


def _next(model: Any, kind: str, iterator: Any) -> Any:
    return _run(model, kind, next(iterator))


def _made(model: Any, kind: str, force: bool) -> Callable[..., Any]:
    name = f"{kind}_function"
    if force or getattr(model, name) is None:
        setattr(model, name, functools.partial(_next, model, kind))
    return getattr(model, name)  # type: ignore[no-any-return]


def step_of(model: Any, kind: str, batches: Any = None) -> Callable[[Any], Any]:
    """What runs a step on what `batches` gave; a program's own if it writes `make_train_function`
    or its like.
    """
    make = getattr(model, f"make_{kind}_function")
    if getattr(make, "__func__", None) is getattr(Steps, f"make_{kind}_function"):
        return on_replicas(model, kind, functools.partial(_run, model, kind), batches)
    make()
    function = getattr(model, f"{kind}_function")
    return lambda batch: function(iter([batch]))


def checks_loss(model: Any) -> bool:
    """Whether a loss that is not finite stops the training.

    A callback of fit may see to that, or an optimizer that leaves such steps out.
    """
    if getattr(model.optimizer, "skips_non_finite", False):
        return False
    return model._fit is None or model._fit.checks_loss


# ----- logs -----


def latest(model: Any, logs: dict[str, Any]) -> dict[str, Any]:
    """What the metrics say now, if that is what the last step returned."""
    found = model.get_metrics_result()
    return found if set(found) == set(logs) else logs


def in_order(model: Any, logs: dict[str, Any]) -> Any:
    """Logs as a list in the order of `metrics`; as a number if there is only one."""
    names = []
    for metric in model.metrics:
        inside = metric.metrics if isinstance(metric, CompiledMetrics) else [metric]
        names += [one.name for one in inside]
    rest = [name for name in sorted(logs) if name not in names]
    values = [logs[name] for name in (*names, *rest) if name in logs]
    return values[0] if len(values) == 1 else values


# ----- before the first step -----


def build(model: Any, first: Callable[[], Any]) -> None:
    """Makes what is missing of the weights, by a call on the batch `first()`, and of slots."""
    strategy = model.distribute_strategy
    with strategy.scope():
        _build(model, first)
    if strategy.num_workers > 1:
        weights = [[path_of(w), list(w.shape), w.dtype.name] for w in model.weights]
        strategy.check_same(f"the weights of {model.name}", weights)


def _build(model: Any, first: Callable[[], Any]) -> None:
    if model._has_call and not all(layer.built for layer in model.all_layers()):
        _try(model, first())
    learning = model.trainable_weights
    if learning and model.optimizer is not None and not model.optimizer.built:
        model.optimizer.build(learning)


def _try(model: Any, batch: Any) -> None:
    """Calls the model on one sample of a batch; one with a `train_step` of its own may refuse."""
    try:
        x, _, _ = unpack_x_y_sample_weight(batch)
        model(map_structure(lambda t: t[:1], x), training=False)
    except Exception:
        if type(model).train_step is Steps.train_step:
            raise


def build_metrics(model: Any, batch: Any) -> None:
    """Makes the metrics that depend on the shapes of labels and outputs."""
    x, y, _ = unpack_x_y_sample_weight(batch)
    compiled = model._assert_compiled()
    y_pred = model(x, training=False)
    with model.distribute_strategy.scope():  # each replica counts for itself
        for part in (compiled.metrics, compiled.loss):
            if part is not None and not part.built:
                part.build(y, y_pred)


def _samples(x: Any) -> int:
    return next(t for t in flatten(x) if t is not None).shape[0]


def _tensors(data: Any) -> Any:
    return map_structure(lambda v: None if v is None else floats_cast(v), mapped_numbers(data))
