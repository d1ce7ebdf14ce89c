"""The course's own programs, taken out of its documents, run under `minitensor run` and print what
the documents show.

The documents are not in this repository: MINITENSOR_SEEDS names their folder (default:
../shared/seeds beside the checkout).
"""

import os
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("MINITENSOR_SEEDS", ROOT.parent / "shared" / "seeds"))
sys.path.insert(0, str(ROOT / "examples"))
import seeds  # noqa: E402
from small_data import make_small_data  # noqa: E402

pytestmark = [
    pytest.mark.slow,  # about two minutes in all
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the course's documents are not in {FOLDER}"),
]
NAMES = {
    "000": ["000-vgg13", "000-resnet18"],
    "001": ["001-notebook"],
    "002": ["002-cnn", "002-mobilenet", "002-voc2007", "002-window", "002-flowers"],
    "004": [
        *("004-mlp", "004-conv2d", "004-lenet5", "004-lenet5-bn", "004-vgg13", "004-dilated"),
        *("004-transposed", "004-resblock", "004-resnet18"),
    ],
}
PROGRAMS = [name for names in NAMES.values() for name in names]
WORDS = {  # what a program must print, beside the deterministic results in the document
    "000-vgg13": [
        "(256, 32, 32, 3) (256,) (64, 32, 32, 3) (64,)",
        "sample: (128, 32, 32, 3) (128,)",
    ],
    "000-resnet18": ["Total params: 11,230,948", "Non-trainable params: 7,808"],
    "001-notebook": ["Total params: 335,114"],
    "002-cnn": ["Total params: 3,274,634"],
    "002-mobilenet": ["Total params: 3,538,984"],
    "002-flowers": ["loss "],
    "004-lenet5": ["Total params: 60,074", "test acc:"],
    "004-vgg13": ["Total params: 9,404,992", "Total params: 165,514"],
    "004-resnet18": ["Total params: 11,184,778"],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    make_small_data(folder)
    return folder


@pytest.fixture(scope="module")
def outputs(home):
    """Name -> what it printed; each program runs once, when it is first asked for."""
    texts, done = seeds.programs(FOLDER), {}

    def of(name):
        if name not in done:
            result = seeds.run(name, texts[name], home)
            assert result.returncode == 0, result.stderr[-2000:]
            done[name] = result.stdout
        return done[name]

    return of


def test_every_listing_of_the_documents_is_in_a_program():
    texts = "\n".join(seeds.programs(FOLDER).values())
    lines = {line.strip() for line in texts.splitlines()}
    changed = ("range(50)", "MobileNetV2()", "batch(32)", "in dataset:")
    for document in seeds.READERS:
        for piece in seeds.pieces(FOLDER, document):
            if re.match(r"tf\.Tensor\(|test accuracy", piece):
                continue  # a result that is numbered like a program
            for line in piece.splitlines():
                kept = line.strip() in lines or f"_shown = {line.strip()}" in lines
                assert kept or any(word in line for word in changed), (document, line)


def test_the_names_of_the_programs_are_listed_here():
    assert sorted(seeds.programs(FOLDER)) == sorted(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_of_the_course_runs(outputs, name):
    printed = outputs(name)
    for words in WORDS.get(name, []):
        assert words in printed


def plain(text):
    """Without ids of tensors, rules of tables and spaces, which differ between versions."""
    return re.sub(r"id=\d+,|[_=]{9,}|\s", "", text)


RESULTS = [  # document, program, the beginning of a result that does not hang on random numbers
    *[("001", "001-notebook", f"TensorShape([2, {n}, {n}, 4])") for n in (3, 5, 2)],
    ("001", "001-notebook", "TensorShape([1, 3, 3, 1])"),
    ("001", "001-notebook", "TensorShape([1, 2, 2, 1])"),
    ("001", "001-notebook", "<tf.Tensor: id=262"),
    ("001", "001-notebook", "<tf.Tensor: id=264"),
    ("001", "001-notebook", "<tf.Tensor: id=288"),
    ("001", "001-notebook", "<tf.Tensor: id=291"),
    ("004", "004-transposed", "<tf.Tensor: id=14,"),
    ("004", "004-transposed", "<tf.Tensor: id=117,"),
    ("004", "004-transposed", "<tf.Tensor: id=42,"),
]


@pytest.mark.parametrize(("document", "name", "start"), RESULTS)
def test_a_result_that_hangs_on_no_random_number_is_printed_as_the_document_shows_it(
    outputs, document, name, start
):
    (file,) = FOLDER.glob(f"{document}_*.txt")
    text = file.read_text()
    result = re.split(r"\n\n(?=\S)|```", text[text.index(start) :])[0]
    if "shape=(5, 5)" in result or "shape=(2, 2)" in result:  # the book leaves out two axes of one
        numbers = re.findall(r"-?\d+\.", result[result.index("numpy=") :])
        assert ".".join(n.rstrip(".") for n in numbers) in ".".join(
            re.findall(r"-?\d+(?=\.)", outputs(name))
        )
    else:
        assert plain(result) in plain(outputs(name))


def test_the_summary_of_the_first_net_is_the_documents_line_by_line(outputs):
    (file,) = FOLDER.glob("001_*.txt")
    text = file.read_text()
    shown = text[text.index('Model: "sequential"') :].split("\n\n")[0]
    assert plain(shown) in plain(outputs("001-notebook"))


def test_the_window_computed_by_hand_prints_the_documents_numbers(outputs):
    assert plain("[[6. 5. -2. 1. 2.] [3. 0. 3. 2. -2.] [4. 2. -1. 0. 0.]") in plain(
        outputs("002-window")
    )
