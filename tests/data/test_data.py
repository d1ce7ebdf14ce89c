"""The shipped digits, IDX files and folders of PNG images: what is read, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from minitensor import data

DIGITS = Path(data.__file__).parent / "uci_digits"
CLASS_COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # UCI, of the 1,797 images
README_SHA256 = {
    "images-idx3-ubyte.gz": "359cd13f0f514122884198b78a131df597421cbf5e93a76678fa96fc548f0d96",
    "labels-idx1-ubyte.gz": "ce71631c1f31ce56fa54f31d1d498fafacff59b001e6c30c4a5e29508aa277ad",
}


def idx(array: np.ndarray) -> bytes:
    """An IDX file written by the format's description alone."""
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


def write_pair(folder: Path, count: int = 20, start: str = "", packed: bool = False) -> Path:
    """An IDX pair of `count` random images of 6x5 pixels with labels 0 and 1 by turns."""
    rng = np.random.default_rng(count)
    suffix, pack = (".gz", gzip.compress) if packed else ("", bytes)
    images, labels = rng.integers(0, 256, (count, 6, 5)), np.arange(count) % 2
    (folder / f"{start}images-idx3-ubyte{suffix}").write_bytes(pack(idx(images)))
    (folder / f"{start}labels-idx1-ubyte{suffix}").write_bytes(pack(idx(labels)))
    return folder


# ----- the digits in the package -----


@pytest.mark.parametrize("name", README_SHA256)
def test_the_digits_have_the_checksum_in_their_readme(name: str) -> None:
    found = hashlib.sha256(gzip.decompress((DIGITS / name).read_bytes())).hexdigest()
    assert found == README_SHA256[name]
    assert found in (DIGITS / "README.md").read_text()


def test_the_digits_are_1797_images_of_8_by_8_pixels_and_16_levels() -> None:
    images, labels = data.digits()
    assert (images.shape, images.dtype, images.min(), images.max()) == (
        (1797, 8, 8, 1),
        "u1",
        0,
        16,
    )
    assert np.bincount(labels).tolist() == CLASS_COUNTS


def test_the_first_digit_is_the_zero_that_uci_lists_first() -> None:
    images, labels = data.digits()
    assert labels[0] == 0
    assert images[0, :2, :, 0].tolist() == [[0, 0, 5, 13, 9, 1, 0, 0], [0, 0, 13, 15, 10, 15, 5, 0]]


def test_digits_in_28_by_28_pixels_are_gray_from_0_to_1() -> None:
    images = data.read_digits().resized((28, 28)).images
    assert (images.shape, images.dtype) == ((1797, 28, 28, 1), np.float32)
    assert 0 <= images.min() < 0.01 < 0.99 < images.max() <= 1


# ----- parting -----


def test_one_image_of_five_of_each_label_is_kept_for_the_test() -> None:
    train, test = data.split(data.read_digits(), seed=0)
    assert (len(train), len(test)) == (1437, 360)
    expected = np.array(CLASS_COUNTS) / 5
    assert np.abs(np.bincount(test.labels) - expected).max() <= 1
    assert not set(train.sources) & set(test.sources)


def test_the_parting_depends_on_the_seed_and_on_nothing_else() -> None:
    digits = data.read_digits()
    first, again, other = (data.split(digits, seed)[1].sources for seed in (3, 3, 4))
    assert first == again != other


def test_a_label_with_fewer_than_five_images_is_refused(tmp_path: Path) -> None:
    pair = data.open_data(write_pair(tmp_path, 8), (28, 28))[0]
    with pytest.raises(ValueError, match=r"label '0' has 4 images; each needs at least 5"):
        data.split(pair, 0)


# ----- IDX -----


@pytest.mark.parametrize("packed", [False, True])
def test_an_idx_pair_is_read_as_written(tmp_path: Path, packed: bool) -> None:
    write_pair(tmp_path, packed=packed)
    pair, test = data.open_data(tmp_path, (28, 28))
    expected = np.random.default_rng(20).integers(0, 256, (20, 6, 5))
    assert test is None
    np.testing.assert_allclose(pair.images[..., 0] * 255, expected, rtol=1e-6)
    assert (pair.labels.tolist(), pair.names) == ([0, 1] * 10, ("0", "1"))


def test_mnists_two_pairs_are_one_to_learn_from_and_one_to_test_on(tmp_path: Path) -> None:
    write_pair(tmp_path, 20, "train-", packed=True)
    write_pair(tmp_path, 10, "t10k-")
    train, test = data.open_data(tmp_path, (28, 28))
    assert test is not None
    assert (len(train), len(test)) == (20, 10)


def test_the_beginning_of_the_names_chooses_a_pair(tmp_path: Path) -> None:
    write_pair(tmp_path, 20, "train-")
    write_pair(tmp_path, 10, "t10k-")
    chosen, test = data.open_data(tmp_path / "t10k", (28, 28))
    assert (len(chosen), test) == (10, None)


HEAD = bytes([0, 0, 8, 1, 0, 0, 0, 3])
BAD_LABELS = {
    "empty": (b"", "starts with nothing"),
    "another format": (b"\x89PNG\r\n\x1a\n", "not an IDX file"),
    "signed": (bytes([0, 0, 9, 1, 0, 0, 0, 3, 1, 2, 3]), "not an IDX file of unsigned bytes"),
    "three axes": (idx(np.zeros((1, 2, 3))), "not an IDX file of unsigned bytes with 1 axes"),
    "half a header": (HEAD[:6], "cut short in its header"),
    "truncated": (HEAD + bytes(2), "cut short: its header promises 3 bytes"),
    "trailing": (HEAD + bytes(4), "bytes left over"),
    "no examples": (idx(np.zeros(0)), "which is empty"),
    "a lie of 4 GB": (bytes([0, 0, 8, 1, 255, 255, 255, 255, 1]), "cut short"),
    "truncated gzip": (gzip.compress(HEAD + bytes(3))[:-9], "gzip"),
    "damaged gzip": (gzip.compress(HEAD + bytes(3))[:-8] + bytes(8), "gzip"),
    "trailing gzip": (gzip.compress(HEAD + bytes(3)) + b"more", "gzip"),
    "not really gzip": (b"\x1f\x8b\x08nothing at all", "gzip"),
}


@pytest.mark.parametrize("kind", BAD_LABELS)
def test_a_damaged_idx_file_is_a_value_error_that_names_it(tmp_path: Path, kind: str) -> None:
    content, words = BAD_LABELS[kind]
    file = tmp_path / "labels-idx1-ubyte"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=words) as caught:
        data.read_idx(file, axes=1)
    assert str(file) in str(caught.value)


def test_one_changed_bit_of_a_packed_file_never_changes_what_is_read(tmp_path: Path) -> None:
    """gzip's checksum notices it, unless the bit stands for nothing."""
    labels = np.arange(50)
    packed = gzip.compress(idx(labels), mtime=0)
    file, refused = tmp_path / "labels-idx1-ubyte.gz", 0
    for bit in range(8 * len(packed)):
        changed = bytearray(packed)
        changed[bit // 8] ^= 1 << bit % 8
        file.write_bytes(changed)
        try:
            found = data.read_idx(file, axes=1)
        except ValueError:
            refused += 1
        else:
            assert found.tolist() == labels.tolist()
    assert refused > 8 * (len(packed) - 10) - 16


def test_a_different_number_of_labels_is_a_value_error(tmp_path: Path) -> None:
    write_pair(tmp_path, 20)
    (tmp_path / "labels-idx1-ubyte").write_bytes(idx(np.zeros(19)))
    with pytest.raises(ValueError, match=r"holds 20 images but .* holds 19 labels"):
        data.open_data(tmp_path, (28, 28))


def test_images_without_their_labels_are_a_value_error(tmp_path: Path) -> None:
    write_pair(tmp_path)
    (tmp_path / "labels-idx1-ubyte").unlink()
    with pytest.raises(ValueError, match="its labels, labels-idx1-ubyte"):
        data.open_data(tmp_path, (28, 28))


def test_two_pairs_that_are_not_mnists_must_be_chosen_from(tmp_path: Path) -> None:
    write_pair(tmp_path, 20, "a-")
    write_pair(tmp_path, 10, "b-")
    with pytest.raises(ValueError, match="which IDX pair"):
        data.open_data(tmp_path, (28, 28))


def test_a_label_that_is_not_known_is_a_value_error(tmp_path: Path) -> None:
    pair = data.open_data(write_pair(tmp_path), (28, 28))[0]
    with pytest.raises(ValueError, match="labels '1' are unknown; known are '0', '2'"):
        pair.renamed(["0", "2"])


def test_renaming_moves_each_label_to_its_names_place(tmp_path: Path) -> None:
    pair = data.open_data(write_pair(tmp_path), (28, 28))[0].renamed(["1", "2", "0"])
    assert pair.labels.tolist() == [2, 0] * 10


# ----- folders of PNG files -----

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two labels of three images: gray noise of several sizes."""
    rng = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for i in range(3):
            pixels = rng.integers(0, 256, (10 + i, 12), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / label / f"{i}.png")
    return tmp_path


def test_a_folder_per_label_is_read_in_order_at_one_size(folder: Path) -> None:
    images, test = data.open_data(folder, (28, 28))
    assert test is None
    assert (images.images.shape, images.images.dtype) == ((6, 28, 28, 1), np.float32)
    assert (images.labels.tolist(), images.names) == ([0, 0, 0, 1, 1, 1], ("cat", "dog"))
    assert images.sources[4] == str(Path("dog") / "1.png")


def test_a_png_of_the_right_size_keeps_its_values(folder: Path) -> None:
    expected = np.asarray(Image.open(folder / "cat" / "0.png"), np.float32) / 255
    images = data.read_folder(folder, (10, 12))
    np.testing.assert_allclose(images.images[0, ..., 0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "color", "gray"),
    [
        ("1", 1, 1.0),
        ("RGB", (255, 0, 0), 0.299),
        ("LA", (0, 0), 1.0),  # black, but transparent: the paper shows
        ("RGBA", (255, 255, 255, 255), 1.0),
        ("RGBA", (0, 0, 0, 0), 1.0),
        ("P", 0, 0.0),
    ],
)
def test_colors_become_gray_and_transparent_pixels_white(folder, mode, color, gray) -> None:
    Image.new(mode, (28, 28), color).save(folder / "cat" / "0.png")
    found = data.read_folder(folder, (28, 28)).images[0]
    np.testing.assert_allclose(found, gray, atol=2e-3)


def damage(file: Path, kind: str) -> None:
    good = file.read_bytes()
    damaged = {
        "empty": b"",
        "truncated": good[: len(good) // 2],
        "header only": good[:8],
        "not a PNG": b"GIF89a" + bytes(40),
        "text": b"import os; os.system('echo no')",
        "flipped": good[:60] + bytes([good[60] ^ 0xFF]) + good[61:],
    }
    file.write_bytes(damaged[kind])


@pytest.mark.parametrize(
    "kind", ["empty", "truncated", "header only", "not a PNG", "text", "flipped"]
)
def test_a_damaged_png_is_a_value_error_that_names_it(folder: Path, kind: str) -> None:
    file = folder / "dog" / "1.png"
    damage(file, kind)
    with pytest.raises(ValueError, match="not a readable PNG") as caught:
        data.open_data(folder, (28, 28))
    assert str(file) in str(caught.value)


def test_sixteen_bits_a_channel_are_refused_by_name(folder: Path) -> None:
    file = folder / "cat" / "0.png"
    Image.fromarray(np.full((9, 9), 40000, np.uint16)).save(file)
    with pytest.raises(ValueError, match=r"0.png: .*8 bits a channel"):
        data.open_data(folder, (28, 28))


def test_a_label_without_images_is_a_value_error(folder: Path) -> None:
    (folder / "bird").mkdir()
    with pytest.raises(ValueError, match=r"no \.png file in 'bird'"):
        data.open_data(folder, (28, 28))


def test_an_empty_folder_and_a_missing_one_are_value_errors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither IDX files nor folders"):
        data.open_data(tmp_path, (28, 28))
    with pytest.raises(ValueError, match="no such folder"):
        data.open_data(tmp_path / "nowhere", (28, 28))


def test_the_fingerprint_changes_with_any_pixel_and_any_label(folder: Path) -> None:
    before = data.read_folder(folder, (28, 28)).fingerprint
    (folder / "cat" / "0.png").rename(folder / "dog" / "0a.png")
    after = data.read_folder(folder, (28, 28)).fingerprint
    assert before != after
