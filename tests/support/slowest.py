"""Writes the ten slowest tests of a run into tests/README.md.

python -m pytest --junitxml=report.xml && python tests/support/slowest.py report.xml
"""

import datetime
import os
import platform
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

README = Path(__file__).parents[1] / "README.md"
MARKS = ("<!-- slowest:begin -->", "<!-- slowest:end -->")


def table(report):
    """The whole run in a sentence, then its ten slowest tests; set-up is part of a test."""
    suite = next(ElementTree.parse(report).iter("testsuite"))
    cases = sorted(suite.iter("testcase"), key=lambda case: -float(case.get("time")))
    day = datetime.date.fromisoformat(suite.get("timestamp")[:10])
    lines = [
        f"{len(cases)} tests in {float(suite.get('time')):.0f} s on {day}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}.",
        "",
        "| seconds | test |",
        "| ---: | --- |",
    ]
    for case in cases[:10]:
        file = case.get("classname").removeprefix("tests.").replace(".", "/")
        lines.append(f"| {float(case.get('time')):.1f} | `{file}` {case.get('name')} |")
    return "\n".join(lines)


if __name__ == "__main__":
    begin, end = MARKS
    text = f"{begin}\n{table(sys.argv[1])}\n{end}".replace("\\", r"\\")
    README.write_text(re.sub(f"{begin}.*?{end}", text, README.read_text(), flags=re.DOTALL))
