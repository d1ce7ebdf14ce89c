"""What watches a training: stops it, saves it, slows it, prints and draws it.

base.py                Callback and CallbackList
history.py             History
progbar.py             ProgbarLogger
monitor.py, every.py   what the next three share
early_stopping.py      EarlyStopping
model_checkpoint.py    ModelCheckpoint
learning_rate.py       LearningRateScheduler, ReduceLROnPlateau
small.py               LambdaCallback, TerminateOnNaN
csv_logger.py          CSVLogger
tensorboard.py         TensorBoard; its files: event_file.py
backup_and_restore.py  BackupAndRestore, for trainings that are killed; its files: state_file.py
"""

from minitensor.keras.callbacks.backup_and_restore import BackupAndRestore
from minitensor.keras.callbacks.base import Callback, CallbackList
from minitensor.keras.callbacks.csv_logger import CSVLogger
from minitensor.keras.callbacks.early_stopping import EarlyStopping
from minitensor.keras.callbacks.history import History
from minitensor.keras.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from minitensor.keras.callbacks.model_checkpoint import ModelCheckpoint
from minitensor.keras.callbacks.progbar import ProgbarLogger
from minitensor.keras.callbacks.small import LambdaCallback, TerminateOnNaN
from minitensor.keras.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
]
