"""From a file into a model, all or nothing: everything is compared and read before any is set."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitensor.autograd import Variable
from minitensor.keras.saving.hdf5 import Dataset


@dataclass(frozen=True)
class StoredWeight:
    """A weight, and what a file has for it."""

    name: str  # of the weight, for messages
    variable: Variable
    shape: tuple[int, ...]  # as the file declares it
    dtype: np.dtype
    read: Callable[[], np.ndarray]  # gives the numbers

    @classmethod
    def of(cls, name: str, variable: Variable, data: Dataset) -> StoredWeight:
        """A weight, and a dataset of an HDF5 file."""
        return cls(name, variable, data.shape, data.dtype, data.read)

    def mismatch(self) -> str | None:
        """What is wrong with the file's declaration; None if it fits the weight."""
        wanted, kind = tuple(self.variable.shape), np.dtype(self.variable.dtype)
        if self.shape != wanted:
            return f"weight {self.name} has shape {wanted}, the file has shape {self.shape}"
        if self.dtype.kind != kind.kind or not np.can_cast(self.dtype, kind, "safe"):
            return (
                f"weight {self.name} has dtype {kind}, the file has {self.dtype}, which would not "
                "fit into it without loss"
            )
        return None


def assign_all(pairs: Iterable[StoredWeight], skip_mismatch: bool) -> None:
    """Gives every weight its numbers if all fit, else none; or leaves out those that do not."""
    chosen = []
    for pair in pairs:
        if problem := pair.mismatch():
            raise_or_warn(problem, skip_mismatch)
        else:
            chosen.append(pair)
    values = [pair.read() for pair in chosen]
    for pair, value in zip(chosen, values, strict=True):
        pair.variable.assign(value.astype(pair.variable.dtype, copy=False))


def raise_or_warn(problem: str, skip_mismatch: bool) -> None:
    """Raises, or warns where mismatches are to be skipped."""
    if not skip_mismatch:
        raise ValueError(problem)
    warnings.warn(f"Skipping: {problem}", stacklevel=4)


@contextmanager
def damage_named(path: Any) -> Iterator[None]:
    """Whatever a damaged file leads to becomes a ValueError that names the file."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{_shown(path)}: {error}") from error
    except (OSError, ImportError):
        raise
    except MemoryError:
        raise ValueError(f"{_shown(path)}: it describes more than there is memory for") from None
    except Exception as error:
        raise ValueError(f"{_shown(path)}: damaged: {type(error).__name__}: {error}") from error


def _shown(path: Any) -> str:
    return "the file" if hasattr(path, "read") else str(path)
