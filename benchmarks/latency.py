"""The answer to one image, by networks for CIFAR: what a user waits for.

Ours is the Keras model, called as it is, exact and fast; TensorFlow's the same by tf.function,
PyTorch's without gradients, eager and by torch.compile. Norms take running statistics.
"""

from __future__ import annotations

from benchmarks.cases import Case
from benchmarks.step import question

NETWORKS = ("resnet18", "mobilenetv2")
PEERS = ("tensorflow:tf.function", "torch:eager", "torch:compile")
COLUMNS = {
    "cpu": ("minitensor:", "minitensor:fast", *PEERS),
    "gpu": ("minitensor:", "torch:eager"),
    "emulator": ("minitensor:",),
}


def cases(batch: int, quick: bool) -> list[Case]:
    """One question per network."""
    return [question("infer", name, batch) for name in (("lenet5",) if quick else NETWORKS)]
