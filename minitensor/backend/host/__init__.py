"""Host code: which kernel, which template, which grid; written once for emulator and GPU.

Every function here takes the `Device` first, and reads and returns arrays of that device. The two
backends bind it: `max_pool = bind(device, pool.max_pool)`. Nothing here knows whether the kernels
run on a GPU or behind g++.
"""
