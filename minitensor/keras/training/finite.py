"""A loss or gradient that is not finite: training stops before the update, and says where it began.

Nothing is watched while all is well. When a step goes wrong it is run again, the same batch from
the same random state and the same statistics, with every computation remembered
(`autograd/finite.py`). Afterwards the model is as it was before the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minitensor.autograd import Tensor, Variable, as_tensor, replicas
from minitensor.autograd.finite import Event, Origin, Watcher, all_finite, described, is_finite
from minitensor.autograd.tensor import ArrayLike
from minitensor.autograd.tree import flatten
from minitensor.backend import generator
from minitensor.distribute.agreement import AllRanksError
from minitensor.keras.engine.calling import calls
from minitensor.keras.engine.weight import path_of

_REMEDIES = {
    "log": "keep its argument above 0: log(maximum(x, 1e-7)), or a loss with from_logits=True",
    "divide": "keep the divisor away from 0: x / (y + epsilon), or math.divide_no_nan",
    "exp": "bound its argument; with softmax or sigmoid, give the loss from_logits=True",
    "sqrt": "its derivative is infinite at 0: take the root of x + epsilon",
    "rsqrt": "keep its argument above 0: add epsilon",
    "power": "keep the base above 0, or the exponent small",
}
_GENERAL = (
    "lower the learning rate, clip gradients (the optimizer's clipnorm=1.0), scale the inputs"
)


class NonFiniteError(FloatingPointError):
    """Training met NaN or an infinity and stopped before the update.

    Attributes:
        op: name of the op that first gave it; None if it came from outside.
        layer: the layers around that op, "model/dense", or "".

    Example:
        >>> from minitensor.keras.training.finite import NonFiniteError
        >>> issubclass(NonFiniteError, ArithmeticError)
        True

    Source: minitensor
    """

    def __init__(self, message: str, op: str | None = None, layer: str = "") -> None:
        super().__init__(message)
        self.op, self.layer = op, layer


class ReplicaNonFiniteError(AllRanksError, NonFiniteError):
    """The same, of one replica; all of them raise it."""


class StepGuard:
    """A step that can be undone until its update.

    Args:
        model: the model, before anything of the step has run.
        data: the batch: x, y and sample weights.
        forward: from the model and the batch to its outputs and the loss.

    Attributes:
        learning: the weights that the update changes.
    """

    def __init__(
        self, model: Any, data: tuple[Any, Any, Any], forward: Callable[..., tuple[Any, Any]]
    ) -> None:
        self._model, self._data, self._forward = model, data, forward
        weights: list[Variable] = model.weights
        self.learning = [v for v in weights if v.trainable]
        self._others = [(v, v.array) for v in weights if not v.trainable]
        self._random = generator.state()

    def check(self, loss: Tensor, gradients: Sequence[Tensor | None]) -> None:
        """Stops if the loss, or a gradient, is not finite.

        Raises:
            NonFiniteError: it is not.
        """
        if all_finite([loss, *(g for g in gradients if g is not None)]):
            return
        here = replicas.shared()
        if here is not None:
            raise self._error_of_replicas(here, self._what(loss, gradients))
        seen, again, gradients_again = self._run_again(with_gradients=is_finite(loss))
        raise self._explained(self._what(loss, gradients), seen, [again, *gradients_again])

    def _what(self, loss: Tensor, gradients: Sequence[Tensor | None]) -> str:
        """What is not finite, in words."""
        where = step_description(self._model)
        if not is_finite(loss):
            return f"{where}: the loss is {_said(loss)}"
        pairs = zip(self.learning, gradients, strict=True)
        names = [path_of(v) for v, g in pairs if g is not None and not is_finite(g)]
        what = f"{where}: the loss is {_said(loss)}, but not finite is the gradient of "
        return what + ", ".join(names)

    def _error_of_replicas(self, here: Any, what: str) -> NonFiniteError:
        """Names the first replica whose own part is not finite; all raise the same."""
        seen, loss, gradients = self._run_again(with_gradients=True)
        own: list[Any] = []
        if not all_finite([loss, *gradients]):
            name = f"on replica {here.replica_id_in_sync_group} {what}"
            error = self._explained(name, seen, [loss, *gradients])
            own = [error.op == "all_reduce", str(error)]  # whether it came from another one
        said = sorted(filter(None, here.communicator.all_gather_object(own)), key=lambda s: s[0])
        alone = f"Training stopped {what}, though that of every replica alone is finite."
        return ReplicaNonFiniteError(said[0][1] if said else alone)

    def _undo(self) -> None:
        generator.restore(self._random)
        for variable, array in self._others:
            variable.array = array

    def _run_again(self, with_gradients: bool) -> tuple[Watcher, Tensor, list[Tensor]]:
        """Runs the step again, watched."""
        self._undo()
        gradients: list[Any] = []
        with Watcher(_place) as seen:
            _, loss = self._forward(self._model, *self._data)
            if with_gradients:
                gradients = seen.gradients(loss, self.learning)
        self._undo()
        return seen, loss, [g for g in gradients if g is not None]

    def _explained(self, what: str, seen: Watcher, values: list[Tensor]) -> NonFiniteError:
        """Says where it went wrong."""
        origin = seen.origin([v for v in values if not is_finite(v)] or values)
        source = self._source(origin)
        event = None if source else origin.op
        if event is not None:
            source = _explanation(event)
        source = source or "Where it began could not be found: the step did not repeat itself."
        return NonFiniteError(
            f"Training stopped {what}. The update was not made: weights, "
            f"statistics and random state are those from before the step. {source}",
            event and event.op,
            event.place if event else "",
        )

    def _source(self, origin: Origin) -> str:
        """What was not finite before anything was computed; "" if all was."""
        if weights := [s for s in origin.sources if isinstance(s, Variable)]:
            names = ", ".join(path_of(w) for w in weights)
            return f"The weights {names} were not finite already ({described(weights[0])})."
        parts = zip(("inputs", "targets", "sample weights"), self._data, strict=True)
        for name, part in parts:
            for tensor in flatten(part):
                if isinstance(tensor, ArrayLike) and _among(tensor, origin.sources):
                    return f"The {name} of the model are not finite ({described(tensor)})."
        if origin.op is None and origin.sources:
            return f"A constant is not finite ({described(origin.sources[0])})."
        return ""


def step_description(model: Any) -> str:
    """In which step a training is, in words."""
    if model._fit is None:
        return f"in train_on_batch, update {int(model.optimizer.iterations)}"
    progress = model._fit.progress
    return f"at step {progress.step} of epoch {progress.epoch}"


def _said(loss: Tensor) -> str:
    """A loss in words: a number, or of one for each sample what is not finite among them."""
    return described(loss) if loss.ndim else str(loss.numpy())


def _among(tensor: ArrayLike, found: list[ArrayLike]) -> bool:
    return any(tensor.array is other.array for other in found)


def _place() -> str:
    return "/".join(calls.current.path) if calls.current else ""


def _explanation(event: Event) -> str:
    """The op, its layer, shapes, and what helps."""
    what = "the derivative of the op" if event.derivative else "the op"
    where = f"in layer '{event.place}'" if event.place else "outside of the layers (in the loss)"
    shapes = ", ".join(str(i.shape) for i in event.inputs)
    bad = next(o for o in event.outputs if not is_finite(o))
    return (
        f"It began in {what} '{event.op}' {where}: of finite inputs {shapes} it made a result of "
        f"{described(bad)}. To mend it: {_REMEDIES.get(event.op, _GENERAL)}."
    )


def check_logs(logs: Any, where: str) -> None:
    """The check for a train_step of the user's own, which has made its update already.

    Raises:
        NonFiniteError: a log called "loss" or "..._loss" is not finite.
    """
    for name, value in logs.items() if isinstance(logs, dict) else ():
        loss = as_tensor(value) if name == "loss" or name.endswith("_loss") else None
        if loss is not None and not is_finite(loss):
            raise NonFiniteError(
                f"Training stopped {where}: {name} is {_said(loss)} after the model's own "
                "train_step. Call minitensor.debugging.enable_check_numerics() before to learn "
                "which op made it."
            )
