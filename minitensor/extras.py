"""What is said, before any work, when an optional library is missing. A leaf: all may read it."""

from __future__ import annotations

DISTRIBUTION = "minitensor-conv"  # `minitensor` on PyPI is somebody else's
_PACKAGES = {"PIL": "pillow"}  # the name to install, where it is not the name to import


def require(command: str, *modules: str, extra: str = "train") -> None:
    """Checks that `modules`, which the extra brings, can be imported, without importing them.

    Raises:
        ImportError: one is missing; says what to install.
    """
    from importlib.util import find_spec

    missing = [_PACKAGES.get(name, name) for name in modules if find_spec(name) is None]
    if missing:
        raise ImportError(f"{command} needs {' and '.join(missing)}: {install(extra)}")


def install(extra: str) -> str:
    """The command that brings an extra, from where this package came: a checkout, a file, an index.

    Example:
        >>> from minitensor.extras import install
        >>> install("gpu").endswith("[gpu]'")
        True
    """
    from pathlib import Path  # 2 ms, and seldom needed

    checkout = Path(__file__).parents[1]
    if (checkout / "pyproject.toml").is_file():
        return f"pip install -e '{checkout}[{extra}]'"
    return f"pip install '{_installed_from() or DISTRIBUTION}[{extra}]'"


def _installed_from() -> str:
    """The folder or file that pip installed from, as it noted it; empty for an index."""
    import json
    from importlib import metadata
    from urllib.parse import unquote

    try:
        note = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return ""
    return unquote(json.loads(note)["url"].removeprefix("file://")) if note else ""
