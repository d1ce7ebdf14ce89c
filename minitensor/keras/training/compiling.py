"""What a model is trained with: compile, the loss and the metrics. Source of all: keras.Model."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minitensor.array import cast
from minitensor.autograd import as_tensor, replicas
from minitensor.autograd.tree import flatten
from minitensor.distribute import get_strategy
from minitensor.keras import optimizers
from minitensor.keras.engine import defaults
from minitensor.keras.losses.loss import shared_out
from minitensor.keras.metrics import Metric
from minitensor.keras.optimizers import LossScaleOptimizer
from minitensor.keras.serialization.objects import deserialize, serialize
from minitensor.keras.training.compiled_loss import CompiledLoss, LossTracker
from minitensor.keras.training.compiled_metrics import CompiledMetrics
from minitensor.math import reduce_sum

if TYPE_CHECKING:
    from minitensor.keras.training.fit_state import FitState


@dataclass
class CompileState:
    """What `compile` made."""

    loss: CompiledLoss | None
    metrics: CompiledMetrics | None
    tracker: Any
    config: dict[str, Any]


class Compiling:
    """The part of a model that knows its optimizer, loss and metrics.

    Attributes:
        compiled: whether `compile` was called.
        optimizer, loss: what it was given; the optimizer as an object.
        stop_training: a callback sets it, and fit stops after the present step.
    """

    name: str

    def _init_training(self) -> None:
        self.compiled = False
        self.optimizer: Any = None
        self.loss: Any = None
        self.history: Any = None
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.run_eagerly = self.jit_compile = False
        self._compile_state: CompileState | None = None
        self._fit: FitState | None = None  # while fit runs
        self._distribute_strategy = replicas.strategy.get()  # in whose scope it was made

    @property
    def distribute_strategy(self) -> Any:
        """The strategy in whose scope it was made, of `tf.distribute`."""
        return self._distribute_strategy or get_strategy()

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Says what the model is trained with.

        L = sum over outputs i of loss_weights_i loss_i(y_i, y_pred_i) + what layers and
        regularizers add

        Args:
            optimizer: a name or an optimizer.
            loss: a name, a function of (y_true, y_pred) or a Loss; for several outputs one for
                all, or a list or dictionary with one for each, None for none.
            loss_weights: a number for each loss.
            metrics: names, functions and Metrics in a list; for several outputs a list or
                dictionary with an entry for each. "accuracy" is binary, categorical or sparse
                categorical as the shapes of labels and outputs say.
            weighted_metrics: metrics that heed sample weights and class weights.
            run_eagerly, steps_per_execution, jit_compile: change nothing: everything is eager here.
            auto_scale_loss: whether the optimizer of a model of the policy "mixed_float16" is put
                into a `LossScaleOptimizer`.

        Raises:
            ValueError: names that do not exist, arguments of another kind.

        Example:
            >>> import minitensor as tf
            >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
            >>> model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
            >>> model.compiled, model.metrics_names
            (True, ['loss', 'compile_metrics'])
        """
        config = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile is True,
        }
        names = getattr(self, "output_names", None)
        some = metrics is not None or weighted_metrics is not None
        with self.distribute_strategy.scope():
            self.optimizer = rule = optimizers.get(optimizer)
            half = self.dtype_policy.name == "mixed_float16"  # type: ignore[attr-defined]
            if auto_scale_loss and half and rule and not isinstance(rule, LossScaleOptimizer):
                self.optimizer = LossScaleOptimizer(rule, name="loss_scale_optimizer")
            self._compile_state = CompileState(
                None if loss is None else CompiledLoss(loss, loss_weights, names),
                CompiledMetrics(metrics, weighted_metrics, names) if some else None,
                LossTracker(name="loss"),
                config,
            )
        self.loss, self.run_eagerly, self.jit_compile = loss, run_eagerly, config["jit_compile"]
        self.steps_per_execution = steps_per_execution
        self.stop_training = False
        self.compiled = True

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`, as values that JSON can hold."""
        if self._compile_state is None:
            return {}
        config = self._compile_state.config | {"optimizer": self.optimizer}
        return {name: serialize(value) for name, value in config.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles with what `get_compile_config` gave."""
        self.compile(**{name: deserialize(value) for name, value in config.items()})
        if self.built and self.optimizer is not None:  # type: ignore[attr-defined]
            self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]

    def _assert_compiled(self) -> CompileState:
        if self._compile_state is None:
            raise ValueError("You must call `compile()` before using the model.")
        return self._compile_state

    # ----- the loss -----

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The loss of a batch; override it for one of your own.

        A single number, or with reduction="none" one for each sample: an update follows the
        gradient of their sum, and their mean is reported. What layers and regularizers add is
        then shared out among them.

        Args:
            x: inputs.
            y: targets.
            y_pred: what the model gave for x.
            sample_weight: weights of the samples, or None.
            training: whether an update will follow.

        Raises:
            ValueError: no loss was given and no layer adds one.
        """
        compiled, loss = self._compile_state, None
        if compiled is not None and compiled.loss is not None:
            loss = compiled.loss(y, y_pred, sample_weight)
        added = [_one_number(value) for value in self.losses]  # type: ignore[attr-defined]
        if loss is None and not added:
            raise ValueError("No loss to compute. Provide a `loss` argument in `compile()`.")
        if not added:
            return loss
        more = shared_out(sum(added[1:], added[0]))
        if loss is None:
            return more
        return loss + (more / float(loss.shape.num_elements() or 1) if loss.ndim else more)

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        """`compute_loss`, which a program may have written without `training`."""
        compute_loss = self.compute_loss
        if _takes_training(getattr(compute_loss, "__func__", compute_loss)):
            return compute_loss(x, y, y_pred, sample_weight, training=training)
        return compute_loss(x, y, y_pred, sample_weight)

    # ----- the metrics -----

    @property
    def metrics(self) -> list[Any]:
        """All metrics: the mean loss, those of `compile`, those that layers keep."""
        compiled, found = self._compile_state, []
        if compiled is not None:
            found = [compiled.tracker]
            found += [compiled.metrics] if compiled.metrics is not None else []
            found += compiled.loss.metrics if compiled.loss is not None else []
        return [*found, *self._own_metrics()]

    def _own_metrics(self) -> list[Any]:
        """Metrics among the attributes of this model and its layers, but not of models inside."""
        structure = self._found()  # type: ignore[attr-defined]
        if structure.metrics is None:
            mine = [x for x in structure.layers if x is self or not isinstance(x, Compiling)]
            found = (x for layer in mine for x in flatten(list(vars(layer).values())))
            structure.metrics = list(dict.fromkeys(x for x in found if isinstance(x, Metric)))
        return structure.metrics

    @property
    def metrics_names(self) -> list[str]:
        """Their names; those of `compile` count as one, "compile_metrics", as in Keras 3."""
        return [metric.name for metric in self.metrics]

    @property
    def metrics_variables(self) -> list[Any]:
        """What the metrics keep."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def reset_metrics(self) -> None:
        """All metrics forget what they saw."""
        for metric in self.metrics:
            metric.reset_state()

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Shows a batch to the metrics of `compile`; returns what all metrics say now."""
        if self._compile_state is not None and self._compile_state.metrics is not None:
            self._compile_state.metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """{name: value} of all metrics. Source: keras.Model.get_metrics_result"""
        found: dict[str, Any] = {}
        for metric in self.metrics:
            result = metric.result()
            found |= result if isinstance(result, dict) else {metric.name: result}
        return found


@functools.cache
def _takes_training(compute_loss: Any) -> bool:
    return "training" in inspect.signature(compute_loss).parameters


def _one_number(value: Any) -> Any:
    """The sum of a loss's elements, in the common float type."""
    found = as_tensor(value)
    return cast(found if not found.ndim else reduce_sum(found), defaults.floatx())
