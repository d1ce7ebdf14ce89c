"""A ready network of course text 2 on photographs in folders, five kinds of flowers.

    python examples/flowers.py FOLDER --network MobileNetV2 --size 224

FOLDER has a folder of pictures for each kind, as flower_photos has; `examples/small_data.py` makes
a small one.
"""

from __future__ import annotations

import argparse

import minitensor as tf
from minitensor.cli import stoppable
from minitensor.keras import applications, optimizers
from minitensor.keras.preprocessing import image_dataset_from_directory

NETWORKS = ("DenseNet121", "MobileNet", "MobileNetV2", "ResNet50", "VGG16", "Xception")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--network", choices=NETWORKS, default="DenseNet121")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--steps", type=int, default=2)
    args = parser.parse_args()
    tf.random.set_seed(0)
    shape = (args.size, args.size)
    dataset = image_dataset_from_directory(args.folder, image_size=shape, batch_size=16, seed=0)
    build = getattr(applications, args.network)
    model = build(weights=None, classes=5, input_shape=(*shape, 3))
    print(f"{args.network}: {model.count_params():,} parameters")
    optimizer = optimizers.Adam(learning_rate=0.001)
    for images, labels in dataset.take(args.steps):
        with tf.GradientTape() as tape:
            guesses = model(images / 255.0, training=True)
            losses = tf.keras.losses.sparse_categorical_crossentropy(y_true=labels, y_pred=guesses)
            loss = tf.reduce_mean(losses)
        print(f"loss {loss.numpy():f}")
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))


if __name__ == "__main__":
    stoppable(main)
