"""Checkpoint: the variables of objects, by the paths of attributes that lead to them, as files.

    checkpoint.save("folder/ckpt") → folder/ckpt-1.index, ckpt-1.data-00000-of-00001, checkpoint

The files are TensorFlow's, either way. An object that has no variables yet when a checkpoint is
restored gets their values when it makes them.
"""

from __future__ import annotations

import functools
import os
import weakref
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.autograd import Variable, replicas
from minitensor.autograd.restoring import got_part, waiting
from minitensor.backend.errors import DataLossError, InvalidArgumentError, NotFoundError
from minitensor.keras.engine.weight import path_of
from minitensor.train import object_graph
from minitensor.train.bundle import Bundle, write_bundle
from minitensor.train.object_graph import KEY, VALUE, Node
from minitensor.train.parts import may_be_saved, part, parts
from minitensor.train.state import update_checkpoint_state


class CheckpointOptions:
    """Settings of TensorFlow's runtime, kept and not used. Source: tf.train.CheckpointOptions"""

    def __init__(
        self,
        experimental_io_device: Any = None,
        experimental_enable_async_checkpoint: bool = False,
        experimental_write_callbacks: Any = None,
        enable_async: bool = False,
        experimental_skip_slot_variables: bool = False,
        experimental_sharding_callback: Any = None,
    ) -> None:
        self.experimental_io_device = experimental_io_device
        self.experimental_enable_async_checkpoint = experimental_enable_async_checkpoint
        self.experimental_write_callbacks = experimental_write_callbacks
        self.enable_async = enable_async
        self.experimental_skip_slot_variables = experimental_skip_slot_variables
        self.experimental_sharding_callback = experimental_sharding_callback


class Checkpoint:
    """Objects whose variables are written and read together.

    Args:
        root: an object whose parts are the checkpoint's own; or None.
        kwargs: objects under names of your choice: variables, layers, models, optimizers,
            modules, lists and dictionaries of them.

    Raises:
        ValueError: an object that holds no variables; a name that root has with another object.

    Example:
        >>> import tempfile, minitensor as tf
        >>> step = tf.Variable(3)
        >>> path = tf.train.Checkpoint(step=step).save(tempfile.mkdtemp() + "/ckpt")
        >>> _ = step.assign(0)
        >>> status = tf.train.Checkpoint(step=step).restore(path)
        >>> step.numpy().item()
        3

    Source: tf.train.Checkpoint
    """

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        if root is not None and not may_be_saved(root):
            raise ValueError(f"Checkpoint: root holds no variables: {root!r}")
        self._root = root
        self._save_counter: Variable | None = None
        known = parts(root) if root is not None else {}
        for name, value in kwargs.items():
            if not may_be_saved(value):
                raise ValueError(
                    f"Checkpoint: {name}={value!r} holds no variables; legal are variables, "
                    "layers, models, optimizers, modules, and lists and dictionaries of them"
                )
            if name in known and known[name] is not value:
                raise ValueError(f"Checkpoint: root has another object under the name {name!r}")
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        got_part(self)

    def _trackable_children(self) -> dict[str, Any]:
        """Its parts by name: root's, and its own."""
        own = {k: v for k, v in vars(self).items() if k not in ("_root", "_save_counter")}
        found = {name: value for name, value in own.items() if may_be_saved(value)}
        if self._save_counter is not None:
            found["save_counter"] = self._save_counter
        return found if self._root is None else parts(self._root) | found | {"root": self._root}

    @property
    def save_counter(self) -> Variable:
        """How often `save` was called; it is saved too."""
        if self._save_counter is None:
            self._save_counter = Variable(0, trainable=False, name="save_counter", dtype="int64")
            got_part(self)
        return self._save_counter

    def write(self, file_prefix: Any, options: Any = None) -> str:
        """Writes the two files of this name, and neither counts nor notes it.

        Of the processes of a `tf.distribute` strategy the first one writes.

        Returns:
            The path, as `read` takes it.
        """
        prefix = os.fspath(file_prefix)
        tensors = _tensors(self)
        if replicas.chief:
            Path(prefix).parent.mkdir(parents=True, exist_ok=True)
            write_bundle(prefix, tensors)
        return str(prefix)

    def save(self, file_prefix: Any, options: Any = None) -> str:
        """Writes `file_prefix-1`, then -2, ..., and notes it in the file "checkpoint".

        Returns:
            The path, as `restore` takes it.
        """
        self.save_counter.assign_add(1)
        path = self.write(f"{os.fspath(file_prefix)}-{int(self.save_counter)}", options)
        update_checkpoint_state(Path(path).parent, path, [path])
        return path

    def read(self, save_path: Any, options: Any = None) -> LoadStatus:
        """Gives the variables their values from files; those to come when they come.

        Args:
            save_path: the path that `write` or `save` gave.
            options: ignored.

        Raises:
            NotFoundError: there are no such files.
            DataLossError: they are damaged.
            ValueError: a variable has another shape or type.
        """
        restoration = Restoration(Bundle(os.fspath(save_path)))
        restoration.give(0, self)
        return LoadStatus(self, restoration)

    def restore(self, save_path: Any, options: Any = None) -> LoadStatus:
        """As `read`, the counter of `save` too; None, for no checkpoint yet, does nothing."""
        if save_path is None:
            return LoadStatus(self, None)
        self.save_counter  # noqa: B018  it is restored too
        return self.read(save_path, options)


def _tensors(root: Checkpoint) -> dict[str, Any]:
    """The value of every variable by its key, and the graph of objects."""
    found, keys = _walked(root)
    nodes = [Node(children=child) for _, child in found]
    tensors: dict[str, Any] = {}
    for (thing, _), node, key in zip(found, nodes, keys, strict=True):
        if isinstance(thing, Variable):
            node.full_name = path_of(thing)
            node.values[VALUE] = f"{key}.ATTRIBUTES/{VALUE}"
            tensors[node.values[VALUE]] = np.asarray(thing.numpy())
    return tensors | {KEY: object_graph.written(_with_values(nodes))}


def _walked(root: Any) -> tuple[list[tuple[Any, dict[str, int]]], list[str]]:
    """Every object with its parts' numbers, nearest first, and the path that leads to it."""
    found: list[tuple[Any, dict[str, int]]] = [(root, {})]
    keys, numbers = [""], {id(root): 0}
    for at, (thing, children) in enumerate(found):  # grows
        for name, inner in parts(thing).items():
            if inner is getattr(root, "_root", None) and inner is not None:
                children[name] = 0  # root and its checkpoint are one object, as in TensorFlow
                continue
            if id(inner) not in numbers:
                numbers[id(inner)] = len(found)
                found.append((inner, {}))
                keys.append(f"{keys[at]}{object_graph.escaped(name)}/")
            children[name] = numbers[id(inner)]
    return found, keys


def _with_values(nodes: list[Node]) -> list[Node]:
    """The graph without what holds no value at all."""
    parents: dict[int, list[int]] = {i: [] for i in range(len(nodes))}
    for i, node in enumerate(nodes):
        for child in node.children.values():
            parents[child].append(i)
    kept = {0, *(i for i, node in enumerate(nodes) if node.values)}
    waiting_ones = deque(kept)
    while waiting_ones:
        fresh = set(parents[waiting_ones.popleft()]) - kept
        kept |= fresh
        waiting_ones.extend(fresh)
    number = {old: new for new, old in enumerate(sorted(kept))}
    for i in number:
        children = nodes[i].children
        nodes[i].children = {n: number[child] for n, child in children.items() if child in number}
    return [nodes[i] for i in number]


class Restoration:
    """A checkpoint that was read, and what was done with each of its objects.

    Args:
        bundle: the files.

    Raises:
        NotFoundError: there is no graph of objects in them.
        DataLossError: it is damaged.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        if KEY not in bundle:
            raise NotFoundError(
                f"{bundle.prefix} has no graph of objects: TensorFlow 1 wrote it, by names. "
                "tf.train.load_checkpoint reads its tensors"
            )
        try:
            self.nodes = object_graph.read_graph(bundle.tensor(KEY))
        except ValueError as error:
            raise DataLossError(f"{bundle.prefix} is damaged: {error}") from None
        self.given: dict[int, weakref.ref[Variable]] = {}  # number of a node -> who has its value
        self._met = {0}  # numbers of the nodes that an object was found for, containers left out

    def give(self, number: int, owner: Any) -> None:
        """Gives an object, and all that it has, the values of a node, all or none of them.

        What it lacks it waits for.
        """
        line = deque([(owner, number, owner, number)])  # object, its node, who owns it, its node
        looked_into: set[int] = set()  # containers, which may have grown since the last time
        values: dict[int, tuple[Variable, Any]] = {}
        waiting.pop(owner, None)
        while line:
            thing, at, owner, number = line.popleft()
            known = parts(thing)
            for name, child in self.nodes[at].children.items():
                inner = thing if child == at else part(thing, name, known)
                if inner is None:
                    waiting[owner] = functools.partial(self.give, number)
                elif isinstance(inner, Variable):
                    if child not in self.given and child not in values:
                        values[child] = inner, self._value(inner, child)
                elif isinstance(inner, list | tuple | dict):
                    if child not in looked_into:
                        looked_into.add(child)
                        line.append((inner, child, owner, number))
                elif child not in self._met:
                    self._met.add(child)
                    line.append((inner, child, inner, child))

        for child, (variable, value) in values.items():
            if value is not None:
                variable.assign(value)
            self.given[child] = weakref.ref(variable)

    def _value(self, variable: Variable, number: int) -> Any:
        """What is meant for a variable; a ValueError if it does not fit."""
        key = self.nodes[number].values.get(VALUE)
        if key is None:
            return None
        value = self.bundle.tensor(key)
        if np.shape(value) != tuple(variable.shape) or self.bundle.dtype(key) != variable.dtype:
            raise InvalidArgumentError(
                f"{self.bundle.prefix} has for {path_of(variable)} a tensor of shape "
                f"{np.shape(value)}, {self.bundle.dtype(key)}; the variable has shape "
                f"{tuple(variable.shape)}, {variable.dtype} (key {key})"
            )
        return value


class LoadStatus:
    """What came of a restoration; its methods say whether that is all.

    Example:
        >>> import tempfile, minitensor as tf
        >>> path = tf.train.Checkpoint(a=tf.Variable(1.0)).write(tempfile.mkdtemp() + "/ckpt")
        >>> status = tf.train.Checkpoint(b=tf.Variable(2.0)).read(path)
        >>> status.assert_consumed()
        Traceback (most recent call last):
        ...
        AssertionError: values without an object: a/.ATTRIBUTES/VARIABLE_VALUE

    Source: tf.train.Checkpoint.restore
    """

    def __init__(self, checkpoint: Checkpoint, restoration: Restoration | None) -> None:
        self._checkpoint, self._restoration = checkpoint, restoration

    def assert_consumed(self) -> LoadStatus:
        """An AssertionError if a value, or a variable, found no partner."""
        read = self._read()
        unread = [
            key
            for i, n in enumerate(read.nodes)
            if i not in read.given
            for key in n.values.values()
        ]
        if unread:
            raise AssertionError(f"values without an object: {_few(unread)}")
        return self.assert_existing_objects_matched()

    def assert_existing_objects_matched(self) -> LoadStatus:
        """An AssertionError if a variable that is there got no value."""
        got = {id(reference()) for reference in self._read().given.values()}
        found, keys = _walked(self._checkpoint)
        pairs = zip(found, keys, strict=True)
        lacking = [k for (x, _), k in pairs if isinstance(x, Variable) and id(x) not in got]
        if lacking:
            raise AssertionError(f"variables without a value in the checkpoint: {_few(lacking)}")
        return self

    def assert_nontrivial_match(self) -> LoadStatus:
        """An AssertionError if nothing but the checkpoint itself was found."""
        if not self._read().given:
            raise AssertionError("nothing in the checkpoint fits the objects")
        return self

    def expect_partial(self) -> LoadStatus:
        """Says that it need not be all; nothing is said of the rest anyway."""
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Nothing: it is done."""

    def run_restore_ops(self, session: Any = None) -> None:
        """Nothing: it is done."""

    def _read(self) -> Restoration:
        if self._restoration is None:
            raise AssertionError(
                "No checkpoint specified (save_path=None); nothing is being restored."
            )
        return self._restoration


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(name.rstrip("/") for name in names[:5]) + more
