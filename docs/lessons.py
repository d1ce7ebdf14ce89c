"""A hook of mkdocs: each lesson is a static page of the site, made when the site is."""

from typing import Any

from mkdocs.structure.files import File, Files

from minitensor.lesson import shelf
from minitensor.lesson.export import page


def on_files(files: Files, config: Any, **kwargs: Any) -> Files:
    """Adds lessons/NN_name.html, which pages may link to."""
    for lesson in shelf.lessons():
        name = f"lessons/{lesson.path.stem}.html"
        files.append(File.generated(config, name, content=page(lesson)))
    return files
