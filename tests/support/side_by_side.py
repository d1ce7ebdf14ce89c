"""A thing of a library by its dotted name, and its arguments: two libraries side by side."""

import inspect


def find(library, name):
    """The thing of this name, "data.Dataset"."""
    for part in name.split("."):
        library = getattr(library, part)
    return library


def described(thing):
    """Its arguments in order, each with its default as text."""
    parameters = inspect.signature(thing).parameters.values()
    return [(p.name, "" if p.default is p.empty else str(p.default)) for p in parameters]
