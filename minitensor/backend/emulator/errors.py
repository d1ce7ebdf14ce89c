"""KernelError: what a kernel did wrong, where, and in which thread."""

from __future__ import annotations


class KernelError(RuntimeError):
    """A kernel misused the machine; the message names kernel, line, block and thread."""
