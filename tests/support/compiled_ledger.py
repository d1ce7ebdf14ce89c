"""The ledger by the compiled kernels of the CPU, however small a call is.

`python tests/support/compiled_ledger.py fast --recorded` and so on: "exact", or "fast", where each
convolution that Winograd's algorithm fits is computed by it; then options of `minitensor parity`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from minitensor import cli
from minitensor.backend import settings
from minitensor.backend.numpy import choice, conv


@contextmanager
def always(precision: str) -> Iterator[None]:
    """Every call of floats goes to a compiled kernel."""
    from minitensor.backend.numpy.compiled import winograd

    with patch.object(choice, "LARGE", 0), patch.object(conv, "FEW_PLACES", 0):
        if precision == "exact":
            yield
            return
        settings.set_conv_precision(precision)
        try:
            with patch.object(winograd, "chosen", lambda *shape: winograd.fits(shape[-1])):
                yield
        finally:
            settings.set_conv_precision("exact")


if __name__ == "__main__":
    with always(sys.argv[1]):
        sys.argv[:2] = ["minitensor", "parity"]
        sys.exit(cli.main())
