"""The metrics of a model: which belong to which output, and what they are called in the logs."""

from __future__ import annotations

from typing import Any, NamedTuple

from minitensor.autograd.tree import flatten
from minitensor.keras import metrics
from minitensor.keras.training.compiled_loss import kind_of_classes
from minitensor.keras.training.outputs import Outputs


class _Entry(NamedTuple):
    """A metric of one output."""

    place: int
    metric: Any
    prefix: str | None  # the output's name, if there are several
    weighted: bool


class CompiledMetrics:
    """What `compile` was told of metrics; which is whose is known with the first outputs.

    Args:
        metrics: a list or dictionary of names, functions and Metrics: all for the only output, or
            an entry for each.
        weighted: the same, for metrics that heed sample weights.
        output_names: of a functional model, else None.

    Raises:
        ValueError: one of them is neither list nor dictionary.
    """

    name = "compile_metrics"

    def __init__(self, metrics: Any, weighted: Any, output_names: list[str] | None) -> None:
        for what, given in (("metrics", metrics), ("weighted_metrics", weighted)):
            if given and not isinstance(given, list | tuple | dict):
                raise ValueError(
                    f"Expected `{what}` argument to be a list, tuple, or dict. Received instead: "
                    f"{what}={given} of type {type(given)}"
                )
        self._given, self._names = (metrics, weighted), output_names
        self._outputs: Outputs | None = None
        self._entries: list[_Entry] = []

    @property
    def built(self) -> bool:
        """Whether the outputs are known."""
        return self._outputs is not None

    @property
    def metrics(self) -> list[Any]:
        """All of them; none before the outputs are known."""
        return [entry.metric for entry in self._entries]

    @property
    def variables(self) -> list[Any]:
        """What they keep."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def build(self, y: Any, y_pred: Any) -> None:
        """Finds out which metrics belong to which output."""
        outputs = Outputs.of(y_pred, self._names)
        targets = outputs.of_targets(y, [True] * len(outputs))
        predictions = outputs.of_prediction(y_pred)
        for weighted, given in enumerate(self._given):
            for i, identifiers in enumerate(self._each(given, outputs)):
                prefix = outputs.names[i] if len(outputs) > 1 else None
                for identifier in flatten(identifiers):
                    if identifier is not None:
                        metric = resolved_metric(identifier, targets[i], predictions[i])
                        self._entries.append(_Entry(i, metric, prefix, bool(weighted)))
        self._outputs = outputs

    def _each(self, given: Any, outputs: Outputs) -> list[Any]:
        if not given:
            return [None] * len(outputs)
        if len(outputs) == 1:
            return [flatten(given)]
        return outputs.settings(given, "metrics", partly=True)

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        if self._outputs is None:
            self.build(y, y_pred)
        assert self._outputs is not None
        targets = self._outputs.of_targets(y, [True] * len(self._outputs))
        predictions = self._outputs.of_prediction(y_pred)
        weights = self._outputs.of_sample_weights(sample_weight)
        for i, metric, _, weighted in self._entries:
            heeded = weights[i] if weighted else None
            metric.update_state(targets[i], predictions[i], sample_weight=heeded)

    def reset_state(self) -> None:
        """Forgets all batches."""
        for metric in self.metrics:
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """{name: value}; a name that is taken gets "weighted_" before it, or a number behind it."""
        found: dict[str, Any] = {}
        for _, metric, prefix, weighted in self._entries:
            name = _joined(prefix, metric.name)
            if name in found and weighted:
                name = _joined(prefix, f"weighted_{metric.name}")
            number, free = 1, name
            while free in found:
                free, number = f"{name}_{number}", number + 1
            found[free] = metric.result()
        return found


def _joined(prefix: str | None, name: str) -> str:
    return f"{prefix}_{name}" if prefix else name


def resolved_metric(identifier: Any, y: Any, y_pred: Any) -> Any:
    """A Metric from a name, a function or a Metric; which "accuracy", the shapes say."""
    if str(identifier).lower() in ("accuracy", "acc"):
        kind = "".join(part.title() for part in kind_of_classes(y, y_pred).split("_"))
        found = getattr(metrics, f"{kind}Accuracy")()
    else:
        found = metrics.get(identifier)
    if not isinstance(found, metrics.Metric):
        found = metrics.MeanMetricWrapper(found, name=getattr(found, "__name__", None))
    if isinstance(identifier, str):
        found.name = identifier
    return found
