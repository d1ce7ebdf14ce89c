"""LeNet-5 learns on the kernels what it learns on NumPy, number by number."""

import numpy as np
import pytest
from backends import KERNEL_BACKENDS

import minitensor as mt
from minitensor import data
from minitensor.backend import devices
from minitensor.digits.network import fresh

STEPS, BATCH = 20, 16


def losses(device, images, labels):
    """The loss before each of some steps of training, from the same first weights and batches."""
    order = np.random.default_rng(0).permutation(len(images))[: STEPS * BATCH]
    with mt.device(device):
        net = fresh(10, seed=0)
        loss = mt.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        net.compile(mt.keras.optimizers.Adam(0.003), loss)
        found = [
            net.train_on_batch(images[batch], labels[batch])
            for batch in order.reshape(STEPS, BATCH)
        ]
    home = devices.full_name(devices.BACKENDS[devices.kind_of(device)])
    assert {variable.device for variable in net.weights} == {home}
    return found


@pytest.mark.parametrize("name", KERNEL_BACKENDS)
def test_twenty_steps_of_lenet_lose_the_same_as_on_numpy(name):
    digits = data.read_digits().resized((28, 28))
    expected = losses("cpu", digits.images, digits.labels)
    found = losses(devices.kind_of_backend(name), digits.images, digits.labels)
    assert max(expected[-5:]) < min(expected[:5])  # it learns
    np.testing.assert_allclose(found, expected, rtol=1e-4)
