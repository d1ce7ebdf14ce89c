"""The mirror of keras.optimizers.schedules: learning rates that follow the number of steps.

schedule.py   LearningRateSchedule
decay.py      falling curves      cosine.py   half a wave, with warm-up and restarts
"""

from minitensor.keras.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from minitensor.keras.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from minitensor.keras.optimizers.schedules.schedule import LearningRateSchedule

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
]
