"""A program on several workers of TensorFlow, as `TF_CONFIG` tells them."""

import json
import socket
import subprocess
import sys

import ranks


def under_tensorflow(count, *command, timeout=300):
    """The last line that each of TensorFlow's workers prints, as JSON."""
    ports = []
    for _ in range(count):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            ports.append(free.getsockname()[1])
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    started = []
    for index in range(count):
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        worker = subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=ranks.environment(TF_CONFIG=json.dumps(task), TF_CPP_MIN_LOG_LEVEL="3"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(worker)
    said = [worker.communicate(timeout=timeout) for worker in started]
    for worker, (_, errors) in zip(started, said, strict=True):
        assert worker.returncode == 0, errors[-3000:]
    return [json.loads(printed.strip().splitlines()[-1]) for printed, _ in said]
