"""A hook of mkdocs: the explorer page is a page of the site, made when the site is."""

from typing import Any

from mkdocs.structure.files import File, Files

from minitensor.explain.explore import page


def on_files(files: Files, config: Any, **kwargs: Any) -> Files:
    """Adds explorer.html, which pages may link to."""
    files.append(File.generated(config, "explorer.html", content=page()))
    return files
