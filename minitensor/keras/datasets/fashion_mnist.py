"""Fashion-MNIST: pieces of clothing, 28 by 28 pixels."""

from __future__ import annotations

from pathlib import Path

from minitensor.data import search_paths
from minitensor.data.download import Remote
from minitensor.keras.datasets.readers import Parts, read_folder

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_MD5 = {  # as the authors list them
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
}
_REMOTES = [Remote(_ORIGIN + name, md5, name) for name, md5 in _MD5.items()]
_FOLDER = "fashion-mnist"


def load_data(path: str | Path | None = None) -> Parts:
    """Pieces of clothing: 60,000 to learn from and 10,000 to test on.

    Labels: 0 T-shirt/top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker,
    8 bag, 9 ankle boot. Debian's package dataset-fashion-mnist brings the files.

    Args:
        path: the folder with the four IDX files; None looks for a folder fashion-mnist.

    Returns:
        (x_train, y_train), (x_test, y_test): images (N, 28, 28) uint8, 0 black to 255 white, and
        labels (N,) uint8.

    Raises:
        ValueError: a file is damaged, or missing beside others; the message names it.
        OSError: there is none, and no network to bring it.

    Source: keras.datasets.fashion_mnist.load_data; Xiao, Rasul and Vollgraf, 2017
    """
    source = search_paths.find([_FOLDER]) if path is None else Path(path)
    source = source or search_paths.fetch("Fashion-MNIST", _REMOTES, _FOLDER, [_FOLDER])
    return read_folder(source)
