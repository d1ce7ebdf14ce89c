"""What watches a training: stops it, saves it, slows it, prints and draws it.

base.py                Callback and CallbackList
progbar.py             ProgbarLogger
small.py               LambdaCallback, TerminateOnNaN, History, LearningRateScheduler
monitor.py             EarlyStopping, ReduceLROnPlateau
model_checkpoint.py    ModelCheckpoint
csv_logger.py          CSVLogger
tensorboard.py         TensorBoard and its files
backup_and_restore.py  BackupAndRestore, for trainings that are killed; its files: state_file.py
"""

from minitensor.keras.callbacks.backup_and_restore import BackupAndRestore
from minitensor.keras.callbacks.base import Callback, CallbackList
from minitensor.keras.callbacks.csv_logger import CSVLogger
from minitensor.keras.callbacks.model_checkpoint import ModelCheckpoint
from minitensor.keras.callbacks.monitor import EarlyStopping, ReduceLROnPlateau
from minitensor.keras.callbacks.progbar import ProgbarLogger
from minitensor.keras.callbacks.small import (
    History,
    LambdaCallback,
    LearningRateScheduler,
    TerminateOnNaN,
)
from minitensor.keras.callbacks.tensorboard import TensorBoard

__all__ = [name for name, value in vars().items() if isinstance(value, type)]
