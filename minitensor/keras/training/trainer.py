"""Trainer: fit, evaluate and predict, as parts of every model.

What is trained with is in `compiling.py`, one batch in `steps.py`, the loops in `loop.py`, the
data in `batches.py` and `epoch_iterator.py`. Source of all: keras.Model, under the same name.
"""

from __future__ import annotations

import math
from typing import Any

from minitensor.autograd.tree import flatten, map_structure
from minitensor.keras.callbacks.base import CallbackList
from minitensor.keras.training import loop
from minitensor.keras.training.batches import is_array, source_of, unpack_x_y_sample_weight
from minitensor.keras.training.epoch_iterator import EpochIterator
from minitensor.keras.training.steps import Steps, build, in_order

__all__ = ["Trainer"]


class Trainer(Steps):
    """The part of a model that is trained, evaluated and asked for predictions."""

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Trains the model for some epochs.

        w = optimizer(w, d L(batch) / d w), for every batch of every epoch

        Args:
            x: inputs: an array, or a list or dictionary of them; or a Dataset or generator that
                gives batches (x, y) or (x, y, sample_weight).
            y: targets, if x is arrays.
            batch_size: samples of an update, default 32; the last batch may have fewer.
            epochs: number at which the last epoch ends.
            verbose: 0 silent, 1 or "auto" a bar, 2 a line for every epoch.
            callbacks: a list of `keras.callbacks`.
            validation_split: the part of the samples, from the end, that is kept to validate.
            validation_data: (x, y), (x, y, sample_weight), a Dataset or a generator.
            shuffle: whether every epoch takes the samples of arrays in another order; "batch" for
                one within each batch.
            class_weight: {class: weight} in the loss.
            sample_weight: (N,) weights in the loss, or one such for each output.
            initial_epoch: number of the first epoch.
            steps_per_epoch: batches of an epoch; default all.
            validation_steps: batches of a validation; default all.
            validation_batch_size: default `batch_size`.
            validation_freq: after every how many epochs to validate, or a list of epochs from 1.

        Returns:
            A History: `.history` is {name: [value for each epoch]}.

        Raises:
            NonFiniteError: a loss or gradient is NaN or infinite; the update was not made.
            ValueError: the model is not compiled, or the data do not fit.

        Example:
            >>> import minitensor as tf
            >>> import numpy as np
            >>> x = np.linspace(-1, 1, 64, dtype="float32").reshape(-1, 1)
            >>> model = tf.keras.Sequential([tf.keras.Input((1,)), tf.keras.layers.Dense(1)])
            >>> model.compile(optimizer=tf.keras.optimizers.SGD(0.1), loss="mse")
            >>> history = model.fit(x, 3 * x + 1, epochs=20, verbose=0)
            >>> history.history["loss"][-1] < 0.1 * history.history["loss"][0]
            True
        """
        self._assert_compiled()
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split((x, y, sample_weight), validation_split)
        given = (x, y, sample_weight, batch_size, steps_per_epoch, shuffle, class_weight)
        batches = _batches(self, steps_per_epoch, *given)
        build(self, batches.first)
        callbacks = make_callbacks(self, callbacks, verbose, epochs, batches, history=True)
        size = validation_batch_size or batch_size
        held_out = _held_out(self, validation_data, size, validation_steps)

        def validate(epoch: int) -> dict[str, Any]:
            if held_out is None or not is_due(epoch, validation_freq):
                return {}
            logs = loop.evaluate(self, held_out, callbacks)
            return {f"val_{name}": value for name, value in logs.items()}

        history = self.history
        loop.fit(self, batches, callbacks, range(initial_epoch, epochs), validate)
        self.history = history  # a fit in a callback had one of its own
        return self.history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics over all batches.

        loss = sum over samples of loss / number of samples

        Args:
            x, y, batch_size, verbose, sample_weight, callbacks: as for `fit`.
            steps: batches to take; default all.
            return_dict: whether to return {name: value} instead of a list.
            kwargs: none.

        Returns:
            The loss if there are no metrics, else [loss, metrics...].

        Raises:
            ValueError: the model is not compiled, or the data do not fit.

        Example:
            >>> import minitensor as tf
            >>> import numpy as np
            >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Flatten()])
            >>> model.compile(loss="mse")
            >>> model.evaluate(np.ones((5, 2)), np.zeros((5, 2)), verbose=0)
            1.0
        """
        self._assert_compiled()
        if kwargs:
            raise ValueError(f"Arguments not recognized: {kwargs}")
        batches = _batches(self, steps, x, y, sample_weight, batch_size, steps)
        logs = loop.evaluate(self, batches, make_callbacks(self, callbacks, verbose, 1, batches))
        return logs if return_dict else in_order(self, logs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """What the model gives for many samples, computed batch by batch.

        Args:
            x: inputs as for `fit`; of (x, y) batches only x is used.
            batch_size, verbose, callbacks: as for `fit`.
            steps: batches to take; default all.

        Returns:
            NumPy arrays, in the lists or dictionaries in which the model gives them.

        Raises:
            ValueError: the data do not fit, or are none.

        Example:
            >>> import minitensor as tf
            >>> import numpy as np
            >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Flatten()])
            >>> model.predict(np.ones((70, 2)), verbose=0).shape
            (70, 2)
        """
        source = source_of(x, batch_size=batch_size, steps=steps)
        batches = EpochIterator(source, steps, self.distribute_strategy)
        return loop.predict(self, batches, make_callbacks(self, callbacks, verbose, 1, batches))


def _batches(model: Any, steps: int | None, x: Any, *rest: Any) -> EpochIterator:
    """The batches of epochs; of a dataset those that are this process's, if it is parted."""
    strategy = model.distribute_strategy
    return EpochIterator(source_of(strategy.parts_of(x), *rest), steps, strategy)


def _held_out(
    model: Any, data: Any, batch_size: int | None, steps: int | None
) -> EpochIterator | None:
    if data is None:
        return None
    x, y, sample_weight = unpack_x_y_sample_weight(data)
    return _batches(model, steps, x, y, sample_weight, batch_size, steps)


def make_callbacks(
    model: Any,
    callbacks: Any,
    verbose: Any,
    epochs: int,
    batches: EpochIterator,
    history: bool = False,
) -> Any:
    """The callbacks as a CallbackList, with a History and a bar if these are wanted."""
    if isinstance(callbacks, CallbackList):
        return callbacks
    verbose = 1 if verbose == "auto" else int(verbose)
    return CallbackList(
        callbacks,
        add_history=history,
        add_progbar=verbose != 0,
        model=model,
        verbose=verbose,
        epochs=epochs,
        steps=batches.size,
    )


def is_due(epoch: int, frequency: Any) -> bool:
    """Whether this epoch, counted from 0, ends with a validation."""
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    if isinstance(frequency, list | tuple | set):
        return epoch + 1 in frequency
    raise ValueError(
        "Expected `validation_freq` to be a list or int. Received: "
        f"validation_freq={frequency} of the type {type(frequency)}."
    )


def split(data: Any, part: float) -> tuple[Any, Any]:
    """(first samples, last samples): the last are `part` of all."""
    given = [value for value in flatten(data) if value is not None]
    if not given or not all(is_array(value) for value in given):
        raise ValueError(
            "Argument `validation_split` is only supported for tensors or NumPy arrays. Found "
            f"incompatible type in the input: {[type(value) for value in given]}"
        )
    count = given[0].shape[0]
    border = math.floor(count * (1.0 - part))
    if not 0 < border < count:
        raise ValueError(
            f"Training data contains {count} samples, which is not sufficient to split it into a "
            f"validation and training set as specified by `validation_split={part}`. Either "
            "provide more data, or a different value for the `validation_split` argument."
        )

    first = map_structure(lambda value: None if value is None else value[:border], data)
    return first, map_structure(lambda value: None if value is None else value[border:], data)
