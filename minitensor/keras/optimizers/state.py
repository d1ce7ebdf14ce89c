"""What an optimizer is between its steps: its arguments, its learning rate, its variables."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitensor.autograd import Variable
from minitensor.backend.devices import device
from minitensor.keras.engine import defaults
from minitensor.keras.engine.weight import Weight
from minitensor.keras.optimizers import arguments
from minitensor.keras.optimizers.schedules import LearningRateSchedule
from minitensor.keras.serialization import names
from minitensor.keras.serialization.config import Configurable


class State(Configurable):
    """Arguments, learning rate and variables of an optimizer; see `Optimizer`.

    Counters and the learning rate lie on the CPU, where the program reads them at every step.
    """

    def __init__(self, learning_rate: Any, kwargs: dict[str, Any]) -> None:
        rate, shared = arguments.read(type(self).__name__, learning_rate, kwargs)
        self.name: str = shared["name"] or names.fresh(type(self))
        self.weight_decay: float | None = shared["weight_decay"]
        self.clipnorm: float | None = shared["clipnorm"]
        self.clipvalue: float | None = shared["clipvalue"]
        self.global_clipnorm: float | None = shared["global_clipnorm"]
        self.use_ema: bool = shared["use_ema"]
        self.ema_momentum: float = shared["ema_momentum"]
        self.ema_overwrite_frequency: int | None = shared["ema_overwrite_frequency"]
        self.loss_scale_factor: float | None = shared["loss_scale_factor"]
        self.gradient_accumulation_steps: int | None = shared["gradient_accumulation_steps"]
        self.built = False
        self._variables: list[Weight] = []
        self._iterations = self._scalar(0, np.dtype("int64"), "iteration")
        self._learning_rate = rate if callable(rate) else self._number(rate)

    def _keep(self, value: Any, name: str) -> Weight:
        variable = Weight(value, trainable=False, name=name, owner=self.name)
        self._variables.append(variable)
        return variable

    def _number(self, rate: Any) -> Weight:
        if isinstance(rate, bool) or not isinstance(rate, int | float | np.number):
            raise ValueError(
                "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, "
                f"or a callable. Received instead: learning_rate={rate!r}"
            )
        return self._scalar(rate, np.dtype(defaults.floatx()), "learning_rate")

    def _scalar(self, value: Any, dtype: Any, name: str) -> Weight:
        with device("/CPU:0"):
            return self._keep(np.asarray(value, dtype), name)

    # ----- the learning rate -----

    @property
    def learning_rate(self) -> Any:
        """The present one: a variable, or what a schedule or function gives."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self._iterations)
        return self._learning_rate() if callable(self._learning_rate) else self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value):
            self._variables = [v for v in self._variables if v is not self._learning_rate]
            self._learning_rate = value
        elif isinstance(self._learning_rate, LearningRateSchedule):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its "
                "`learning_rate` constructor argument, hence its learning rate is not settable. "
                "If you need the learning rate to be settable, you should instantiate the "
                "optimizer with a float `learning_rate` argument."
            )
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(np.asarray(value, self._learning_rate.dtype))
        else:
            self._learning_rate = self._number(value)

    @property
    def lr(self) -> Any:
        """The learning rate, by its old name."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    @property
    def iterations(self) -> Any:
        """How many steps there were; averaged gradients count once."""
        steps = self.gradient_accumulation_steps
        return self._iterations // steps if steps else self._iterations

    # ----- writing and reading -----

    @property
    def variables(self) -> list[Variable]:
        """All state: iterations, the learning rate if it is a number, what the rule keeps."""
        return list(self._variables)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Gives `variables` these values."""
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. "
                "Please call `optimizer.build(trainable_variables)` to create the optimizer "
                "weights before calling `set_weights()`."
            )
        for variable, value in zip(self._variables, weights, strict=True):
            variable.assign(np.asarray(value, variable.dtype))

    def save_own_variables(self, store: Any) -> None:
        """Writes `variables` into a mapping, under "0", "1", ..."""
        for i, variable in enumerate(self._variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads `variables` from such a mapping."""
        if len(store.keys()) != len(self._variables):
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has "
                f"{len(self._variables)} variables whereas the saved optimizer has "
                f"{len(store.keys())} variables.",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(self._variables):
            variable.assign(np.asarray(store[str(i)]))

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with, and the present learning rate if it is a number."""
        config = {name: getattr(self, name) for name in arguments.DEFAULTS} | super().get_config()
        config.pop("lr", None)
        if isinstance(self._learning_rate, Variable):
            config["learning_rate"] = float(self._learning_rate.numpy())
        return config | {"name": self.name}
