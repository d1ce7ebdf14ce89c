"""How objects become JSON values and come back: what layers, losses and optimizers are built on.

config.py          Configurable: objects that remember what they were made with
objects.py         serialize and deserialize: objects as JSON values, and back
registry.py        which class a name in a file means
identifiers.py     what may stand for an object in an argument: its name, its config, itself
names.py           "conv2d_1": a name for each object
sharing.py         objects that stand in a config more than once
memory_budget.py   how much a model from an unvetted file may take

No class is named here: the package `keras` tells the registry of the rooms above. Files
are the business of `keras/saving`, which stands on the models.
"""
