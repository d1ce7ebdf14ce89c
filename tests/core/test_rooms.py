"""The plan of the house: which room may import which, what an import costs, how long code may be.

    keras -> nn -> ops -> autograd -> backend        window.py and files.py are leaves
    cuda, emulator -> host                           inside backend; numpy stands alone
    layers -> engine -> training -> losses, callbacks, ...    inside keras; saving on top
    keras/serialization                              below all of keras, and knows no class of it

Mirrors of TensorFlow's other modules and the programs stand on top; nobody below imports them.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "minitensor"
FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(file.relative_to(PACKAGE)) for file in FILES]

LEAVES = {
    "window",
    "extras",
    "pictures",
    "files",
    "docstrings",
    "missing",
    "stays_out",
    "symbolic",
}  # everybody may read them, they read nobody
ENGINE = {
    **{leaf: set() for leaf in LEAVES},
    "missing": {"stays_out"},
    "backend": LEAVES,
    "autograd": {"backend", *LEAVES},
    "ops": {"autograd", "backend", *LEAVES},
    "nn": {"ops", "autograd", "backend", *LEAVES},
}
MIRRORS = {
    *("array", "config", "control", "data", "debugging", "dtypes", "errors", "io", "module"),
    *(
        "distribute",
        "gfile",
        "image",
        "linalg",
        "math",
        "random",
        "strings",
        "summary",
        "tensor_array",
        "test",
    ),
    "version",
    *("autodiff", "bitwise", "nest", "sparse"),
}
PROGRAMS = {
    "__main__",
    "cli",
    "explain",
    "lesson",
    "parity",
    "run",
    "digits",
    "new",
    "warm_up",
}  # they may use everything; nobody uses them
PLAN = {
    **ENGINE,
    **{mirror: {*ENGINE, *MIRRORS} for mirror in MIRRORS},
    "keras": {*ENGINE, *MIRRORS},
    "models": {*ENGINE, *MIRRORS, "keras", "minitensor"},
    "train": {*ENGINE, *MIRRORS, "keras"},
    "minitensor": {*ENGINE, *MIRRORS},  # the package file
    **{
        p: {*ENGINE, *MIRRORS, *PROGRAMS, "keras", "models", "train", "minitensor"}
        for p in PROGRAMS
    },
}
# Files of backend/ that every backend may read:
BACKEND_LEAVES = {
    "settings",
    "half",
    "generator",
    "philox",
    "protocol",
    "errors",
    "text",
    "error_function",
}
INSIDE_BACKEND = {
    **{leaf: set() for leaf in BACKEND_LEAVES},
    "devices": BACKEND_LEAVES,
    "numpy": BACKEND_LEAVES,
    "host": {"numpy"} | BACKEND_LEAVES,  # for W', which lies in the memory of the CPU
    "cuda": {"host"} | BACKEND_LEAVES,
    "emulator": {"host"} | BACKEND_LEAVES,
    "__init__": {"devices", "numpy"} | BACKEND_LEAVES,  # it imports others when arrays come
}
TOOLS = {  # rooms that exist for one library, and that nobody imports before it is asked for
    "parity/reference": {"tensorflow"},
    "backend/numpy/compiled/": {"numba", "llvmlite"},
    "distribute/mpi": {"mpi4py"},
}
BELOW_LAYERS = {  # files of keras/engine that know neither Layer nor Model: everybody may read them
    *("annotations", "calling", "defaults", "dtype_policy", "keras_tensor", "masking", "operation"),
    *("seed_stream", "weight"),
}
OF_WEIGHTS = {"constraints", "initializers", "regularizers"}
INSIDE_KERAS = {  # what a file needs to be imported; "parts" are the files below layers
    "serialization": set(),  # everybody may read it
    "parts": set(),
    **{room: {"parts"} for room in ("activations", *OF_WEIGHTS, "config", "datasets", "losses")},
    **{room: {"parts"} for room in ("callbacks", "random", "summary", "tree", "utils")},
    "dtype_policies": {"parts"},
    "mixed_precision": {"parts", "optimizers"},
    "metrics": {"parts", "initializers", "losses"},
    "optimizers": {"parts", "initializers"},
    "training": {"parts", "losses", "metrics", "optimizers", "callbacks"},  # mixed into Model
    "engine": {"parts", "training", "summary"} | OF_WEIGHTS,
    "ops": {"parts", "activations", "losses", "random"},
    "layers": {"parts", "engine", "activations", "ops"} | OF_WEIGHTS,
    "saving": {"parts", "engine", "optimizers"},
    "applications": {"parts", "engine", "layers", "activations", "ops", "initializers"},
    "models": {"engine", "saving"},
    "preprocessing": {"parts", "utils"},
    "backend": {"parts", "activations", "config", "losses", "utils"},
    "__init__": {"parts", "engine"},
}
WHEN_CALLED = {  # what it imports later, inside a function: the words that lead from below upwards
    "parts": {"ops"},  # operators of symbolic tensors
    "engine": {"ops", "saving"},  # operators of symbolic tensors; Model.save
}
STDLIB = sys.stdlib_module_names
LONG_FUNCTIONS: set[str] = set()  # exceptions to 40 lines, each with its reason


def room(file):
    """The first name under minitensor/; the package file itself is "minitensor"."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return "minitensor" if parts == ("__init__",) else parts[0]


def imported(node, file):
    """Dotted names that an import statement makes available."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    package = ("minitensor", *file.relative_to(PACKAGE).parent.parts)
    base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
    module = ".".join(part for part in (base, node.module) if part)
    return [f"{module}.{alias.name}" for alias in node.names]


def imports(file, top_level=False):
    """All dotted names that a file imports, or only those of its module level."""
    tree = ast.parse(file.read_text())
    nodes = tree.body if top_level else ast.walk(tree)
    statements = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    return [name for node in statements for name in imported(node, file)]


def rooms_used(file):
    """Rooms of minitensor that a file imports from; the bare package counts as "minitensor"."""
    for name in imports(file):
        head, _, rest = name.partition(".")
        if head == "minitensor":
            part = rest.split(".")[0]
            known = (PACKAGE / part).is_dir() or (PACKAGE / f"{part}.py").exists()
            yield part if part and known else "minitensor"


def test_imports_follow_the_direction():
    used = {name: set(rooms_used(PACKAGE / name)) for name in NAMES}
    here = {name: room(PACKAGE / name) for name in NAMES}
    wrong = {name: used[name] - PLAN[here[name]] - {here[name]} for name in NAMES}
    assert not _found(wrong)


def _found(wrong):
    """The files where something was found, and what."""
    return {name: sorted(what) for name, what in wrong.items() if what}


def test_every_room_of_the_plan_exists():
    assert {room(file) for file in FILES} == set(PLAN)


def part(name):
    """The file or folder directly inside backend/ that a dotted name is in."""
    rest = name.removeprefix("minitensor.backend").strip(".").split(".")[0]
    place = PACKAGE / "backend" / rest
    return rest if rest and (place.is_dir() or place.with_suffix(".py").exists()) else "__init__"


def test_imports_inside_the_backend_follow_the_direction():
    wrong = {}
    for name in (n for n in NAMES if n.startswith("backend/")):
        file = PACKAGE / name
        here = file.relative_to(PACKAGE / "backend").with_suffix("").parts[0]
        used = {part(n) for n in imports(file) if n.startswith("minitensor.backend")}
        wrong[name] = used - INSIDE_BACKEND[here] - {here}
    assert not _found(wrong)


def keras_part(name):
    """The file or folder directly inside keras/ that a dotted name is in, or "parts"."""
    first, second, *_ = [*name.removeprefix("minitensor.keras").strip(".").split("."), "", ""]
    if first == "engine" and second in BELOW_LAYERS:
        return "parts"
    place = PACKAGE / "keras" / first
    return first if first and (place.is_dir() or place.with_suffix(".py").exists()) else "__init__"


def keras_parts_used(file, top_level):
    """What a file of keras imports from other parts of it, what only types need left out."""
    tree = ast.parse(file.read_text())
    tree.body = [n for n in tree.body if not (isinstance(n, ast.If) and "CHECKING" in ast.dump(n))]
    nodes = tree.body if top_level else ast.walk(tree)
    statements = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    names = [name for node in statements for name in imported(node, file)]
    return {keras_part(name) for name in names if name.startswith("minitensor.keras")}


def test_imports_inside_keras_follow_the_direction():
    wrong, wrong_later = {}, {}
    for name in (n for n in NAMES if n.startswith("keras/")):
        file = PACKAGE / name
        dotted = ("minitensor", *file.relative_to(PACKAGE).with_suffix("").parts)
        here = keras_part(".".join(dotted))
        at_once, ever = keras_parts_used(file, True), keras_parts_used(file, False)
        legal = INSIDE_KERAS[here] | {here, "serialization"}
        wrong[name] = at_once - legal
        wrong_later[name] = ever - at_once - legal - WHEN_CALLED.get(here, set())
    assert not _found(wrong)
    assert not _found(wrong_later)


def test_modules_import_only_numpy_at_the_top():
    """Anything else is imported inside the function that needs it."""
    wrong = {}
    for name in NAMES:
        heads = {found.partition(".")[0] for found in imports(PACKAGE / name, top_level=True)}
        may = next((TOOLS[room] for room in TOOLS if name.startswith(room)), set())
        wrong[name] = heads - STDLIB - {"numpy", "minitensor"} - may
    assert not _found(wrong)


def test_tensorflow_is_imported_by_parity_reference_alone():
    wrong = {}
    for name in (n for n in NAMES if not n.startswith("parity/reference")):
        heads = {found.partition(".")[0] for found in imports(PACKAGE / name)}
        wrong[name] = heads & {"tensorflow", "keras"}
    assert not _found(wrong)


def test_functions_have_at_most_40_lines_of_code():
    long = {}
    for name in NAMES:
        tree = ast.parse((PACKAGE / name).read_text())
        functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        found = [f.name for f in functions if lines_of_code(f) > 40]
        long[name] = [f for f in found if f"{name}:{f}" not in LONG_FUNCTIONS]
    assert not _found(long)


def lines_of_code(function):
    """Lines of a function from its `def`, without its docstring."""
    whole = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return whole
    words = function.body[0]
    return whole - (words.end_lineno - words.lineno + 1)


# ----- what `import minitensor` costs -----


def python(code):
    """Runs code in a fresh interpreter that finds this checkout; returns what it printed."""
    path = os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


@pytest.mark.parametrize(
    "library",
    [
        "cupy",
        "tensorflow",
        "matplotlib",
        "scipy",
        "ml_dtypes",
        "threadpoolctl",
        "numba",
        "rich",
        "PIL",
    ],
)
def test_import_minitensor_loads_no_optional_library(library):
    assert python(f"import minitensor, sys; print({library!r} in sys.modules)") == "False"


def test_import_minitensor_takes_less_than_300_ms():
    """The best of fifteen, in processor time: what else the machine does is not counted."""
    clock = (
        "import time; t = time.process_time(); import minitensor; print(time.process_time() - t)"
    )
    python(clock)  # writes the bytecode
    assert min(float(python(clock)) for _ in range(15)) < 0.3


MAPS = {  # rooms whose docstring lists their files, "tape.py   what it is", with that docstring
    str(file.parent.relative_to(PACKAGE)): words
    for file in FILES
    if file.name == "__init__.py" and (words := ast.get_docstring(ast.parse(file.read_text())))
    if re.search(r"^\s*\w+\.py\b", words, re.MULTILINE)
}


def is_one_op(file):
    """Whether a file of ops is called what its one public function is called: that says it all."""
    if file.parent != PACKAGE / "ops":
        return False
    functions = [n.name for n in ast.parse(file.read_text()).body if isinstance(n, ast.FunctionDef)]
    return [name for name in functions if name[0] != "_"] == [file.stem]


@pytest.mark.parametrize("room", MAPS)
def test_a_room_that_lists_its_files_lists_them_all(room):
    listed = re.findall(r"(\w+)\.py", MAPS[room])
    files = [file.stem for file in (PACKAGE / room).glob("[!_]*.py") if not is_one_op(file)]
    base = "_base"  # what the classes of a file share stands beside it, and is listed with it
    assert {n.removesuffix(base) for n in files} == {n.removesuffix(base) for n in listed}


def test_only_a_file_of_ops_that_is_called_after_its_one_function_need_not_be_listed(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "ops").mkdir()
    (tmp_path / "nn").mkdir()
    for name, functions in (("ops/cubed", "cubed _slope"), ("ops/curves", "cubed"),
                            ("ops/more", "more less"), ("nn/cubed", "cubed")):  # fmt: skip
        text = "".join(f"def {function}(x): pass\n" for function in functions.split())
        (tmp_path / f"{name}.py").write_text(text)
    assert [f.stem for f in sorted(tmp_path.rglob("*.py")) if is_one_op(f)] == ["cubed"]
    assert is_one_op(tmp_path / "ops" / "cubed.py")


def test_the_lines_of_a_function_are_counted_without_its_docstring():
    source = 'def f():\n    """One\n\n    Two."""\n    return 1\n'
    assert lines_of_code(ast.parse(source).body[0]) == 2


def test_a_wrong_arrow_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    for part in ("backend", "ops"):
        (tmp_path / part).mkdir()
    wrong = tmp_path / "backend" / "file.py"
    wrong.write_text(
        "def f():\n    from minitensor import ops\n    from ..ops.conv import conv2d\n"
    )
    assert list(rooms_used(wrong)) == ["ops", "ops"]


def test_a_wrong_arrow_inside_keras_is_seen_at_once_and_later_but_types_do_not_count(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    for part in ("engine", "layers", "models", "saving"):
        (tmp_path / "keras" / part).mkdir(parents=True)
    file = tmp_path / "keras" / "engine" / "layer.py"
    file.write_text(
        "from minitensor.keras import layers\nfrom minitensor.keras.engine import weight\n"
        "if TYPE_CHECKING:\n    from minitensor.keras.models import Model\n"
        "def save():\n    from minitensor.keras.saving import save_model\n"
    )
    assert keras_parts_used(file, True) == {"layers", "parts"}
    assert keras_parts_used(file, False) == {"layers", "parts", "saving"}
