"""The mirror of tf.train: checkpoints, in TensorFlow's files, read and written; examples.

checkpoint.py     Checkpoint: which object gets which value, now or when it has the variable
manager.py        the last few of a folder; state.py: the file "checkpoint" that lists them
reader.py         tensors by their keys
parts.py          what Keras calls the parts of layers, models and optimizers there
object_graph.py   the graph of objects; bundle.py: names → tensors, two files
sorted_table.py   the index file
example.py        Example, SequenceExample and what they are made of: the records of tf.io

Messages and check sums are those of `minitensor.io`.
"""

from minitensor import missing
from minitensor.train.checkpoint import Checkpoint, CheckpointOptions
from minitensor.train.example import (
    BytesList,
    Example,
    Feature,
    FeatureList,
    FeatureLists,
    Features,
    FloatList,
    Int64List,
    SequenceExample,
)
from minitensor.train.manager import CheckpointManager
from minitensor.train.reader import list_variables, load_checkpoint, load_variable
from minitensor.train.state import get_checkpoint_state, latest_checkpoint

__all__ = [
    "BytesList", "Checkpoint", "CheckpointManager", "CheckpointOptions", "Example", "Feature",
    "FeatureList", "FeatureLists", "Features", "FloatList", "Int64List", "SequenceExample",
    "get_checkpoint_state", "latest_checkpoint", "list_variables", "load_checkpoint",
    "load_variable",
]  # fmt: skip

__getattr__ = missing.refusing("tf.train", __name__)
