"""The backend of GPUs as tests meet it: on CuPy's stand-in everywhere, and on a real GPU too."""

import os
from contextlib import nullcontext

import fake_cupy
import numpy as np
import pytest

import minitensor as mt
from minitensor.backend import cuda, devices
from minitensor.backend.cuda import nvrtc
from minitensor.backend.errors import DeviceError

PLACES = ["stand-in"] if devices.lack_of("GPU") else ["stand-in", "GPU"]


@pytest.fixture(scope="module")
def compiler():
    """NVRTC; what it lacks is a skip, or with MINITENSOR_REQUIRE_NVRTC=1 a failure."""
    try:
        nvrtc.version()
    except DeviceError as lack:
        required = os.environ.get("MINITENSOR_REQUIRE_NVRTC") == "1"
        (pytest.fail if required else pytest.skip)(str(lack))


@pytest.fixture(scope="module")
def stand_in(compiler):
    """backend.cuda on the stand-in."""
    with fake_cupy.installed():
        yield cuda


@pytest.fixture(scope="module", params=PLACES)
def gpu(request, compiler):
    """backend.cuda on the stand-in, and on the GPU if there is one."""
    with fake_cupy.installed() if request.param == "stand-in" else nullcontext():
        yield cuda


def numbers(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def there(array):
    return mt.to_device(mt.constant(array), "gpu")
