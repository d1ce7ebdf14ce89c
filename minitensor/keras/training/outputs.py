"""The outputs of a model in a row, and how targets, weights, losses and metrics find theirs.

A model gives one tensor, a list of them or a dictionary. What belongs to several outputs comes as
a list in their order, or as a dictionary by their names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minitensor.autograd.tree import flatten


@dataclass(frozen=True)
class Outputs:
    """What each output is called.

    Attributes:
        names: one per output; None where nobody named it.
        keys: the same if the outputs come as a dictionary, else None.
    """

    names: tuple[str | None, ...]
    keys: tuple[str, ...] | None = None

    @staticmethod
    def of(y_pred: Any, model_names: list[str] | None) -> Outputs:
        """Read off what a model returned; a functional model has names for its outputs."""
        if isinstance(y_pred, dict):
            known = model_names is not None and set(model_names) == set(y_pred)
            keys = tuple(model_names or ()) if known else tuple(sorted(y_pred))
            return Outputs(keys, keys)
        count = len(flatten(y_pred))
        fits = model_names is not None and len(model_names) == count
        return Outputs(tuple(model_names) if fits else (None,) * count)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.names)

    def of_prediction(self, y_pred: Any) -> list[Any]:
        """The outputs in their order."""
        if self.keys is not None and isinstance(y_pred, dict):
            return [y_pred[key] for key in self.keys]
        return flatten(y_pred)

    def of_targets(self, y: Any, needed: list[bool]) -> list[Any]:
        """The target of each output; those that no loss needs may be left out.

        Raises:
            ValueError: there are more or fewer.
        """
        found = self._row(y)
        if found is None:
            named = isinstance(y, dict) and None not in self.names
            flat = [y[name] for name in self.names if name in y] if named else flatten(y)
            if len(flat) == sum(needed):
                rest = iter(flat)
                found = [next(rest) if need else None for need in needed]
            else:
                raise ValueError(
                    "y_true and y_pred have different structures: the model has "
                    f"{len(self)} output(s) {self._listed()}, and {len(flat)} target(s) came"
                )
        return found

    def of_sample_weights(self, weights: Any) -> list[Any]:
        """The sample weights of each output: one array is for all."""
        if weights is not None and not isinstance(weights, list | tuple | dict):
            return [weights] * len(self)
        found = self._row(weights)
        if found is None:
            raise ValueError(
                f"sample_weight: give one array, or one for each output {self._listed()}"
            )
        return found

    def _row(self, value: Any) -> list[Any] | None:
        """One for each output; None if it does not come out even.

        Raises:
            ValueError: a dictionary with names that no output has.
        """
        if value is None:
            return [None] * len(self)
        if isinstance(value, dict) and None not in self.names:
            if foreign := [name for name in value if name not in self.names]:
                raise ValueError(
                    f"No output is called {foreign}. Expected the keys {list(self.names)}, "
                    f"received {list(value)}"
                )
            fits = len(value) == len(self)
            return [value[name] for name in self.names] if fits else None
        flat = flatten(value)
        return flat if len(flat) == len(self) else None

    def settings(self, given: Any, what: str, partly: bool = False) -> list[Any]:
        """A setting for each output, from a list in their order or a dictionary by their names.

        Args:
            given: list, tuple or dictionary.
            what: the name of the argument.
            partly: whether the dictionary may leave some out.

        Raises:
            ValueError: it has more or fewer entries than there are outputs, or other names.
        """
        if isinstance(given, dict):
            known, found = set(self.names), set(given)
            if not (found <= known if partly else found == known):
                raise ValueError(
                    f"Expected keys {list(self.names)} in {what} dict, but found "
                    f"{what}.keys()={list(given)}"
                )
            return [given.get(name) for name in self.names]
        if len(given) != len(self):
            raise ValueError(
                f"`{what}` has {len(given)} entries, but the model has {len(self)} output(s) "
                f"{self._listed()}; give one for each, None for none"
            )
        return list(given)

    def _listed(self) -> str:
        return "" if None in self.names else str(list(self.names))
