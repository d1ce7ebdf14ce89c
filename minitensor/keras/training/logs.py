"""Logs: what callbacks are told in numbers."""

from __future__ import annotations

from typing import Any

Logs = dict[str, Any] | None


def plain_logs(logs: Logs) -> dict[str, Any]:
    """Logs in alphabetical order, tensors as floats where they are single numbers.

    Example:
        >>> plain_logs({"loss": 1, "accuracy": "?"})
        {'accuracy': '?', 'loss': 1.0}
    """
    plain: dict[str, Any] = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, dict):
            plain |= plain_logs(value)
        else:
            plain[name] = _number(value)
    return plain


def _number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
