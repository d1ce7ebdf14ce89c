"""What is said, before any work, when an optional library is missing."""

from __future__ import annotations

from importlib.util import find_spec

_PACKAGES = {"PIL": "pillow"}  # the name to install, where it is not the name to import


def require(command: str, *modules: str, extra: str = "train") -> None:
    """Checks that `modules`, which the extra brings, can be imported, without importing them.

    Raises:
        ImportError: one is missing; says what to install.
    """
    missing = [_PACKAGES.get(name, name) for name in modules if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"{command} needs {' and '.join(missing)}: pip install 'minitensor[{extra}]'"
        )
