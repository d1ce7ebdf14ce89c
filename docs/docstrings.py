"""How our docstrings are shown: examples and formulas as code, lists of numbers as they stand."""

import re
from typing import Any

from griffe import Extension, Module, Object

FORMULA = re.compile(r"[^\n]* = .*[^.:]", re.DOTALL)  # " = " in the first line, and no full stop


def shown(text: str) -> str:
    """A docstring with Example as the section of that name, and formulas in fences."""
    head, *rest = re.split(r"^(?=\w+:\n)", text, maxsplit=1, flags=re.MULTILINE)
    paragraphs = [_paragraph(part) for part in re.split(r"\n\s*\n", head.rstrip())]
    body = re.sub(r"^Example:$", "Examples:", "".join(rest), flags=re.MULTILINE)
    return "\n\n".join([*paragraphs, body])


def _paragraph(text: str) -> str:
    if FORMULA.fullmatch(text):
        return f"```text\n{text}\n```"
    return text.replace("[", r"\[")


class Docstrings(Extension):
    """Applies `shown` to everything that is collected."""

    def on_instance(self, *, obj: Object, **kwargs: Any) -> None:
        """Called for every module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = shown(obj.docstring.value)

    def on_package(self, *, pkg: Module, **kwargs: Any) -> None:
        """A function that its file is called after hides that file: nn/lp_pool.py."""
        for room in [member for member in pkg.members.values() if member.is_module]:
            for name, file in list(room.members.items()):
                if not file.is_alias and file.is_module and name in file.members:
                    room.set_member(name, file.members[name])
