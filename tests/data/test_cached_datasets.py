"""keras.datasets: the real formats, search paths, the download, and what is said when all fails."""

import functools
import gzip
import hashlib
import http.server
import importlib
import inspect
import pickle
import tarfile
import threading

import dataset_files as files
import numpy as np
import pytest

from minitensor import keras
from minitensor.data import download, npz, search_paths
from minitensor.data.download import Remote
from minitensor.data.pickled import read_pickle
from minitensor.keras import datasets

NAMES = ("mnist", "fashion_mnist", "cifar10", "cifar100")


@pytest.fixture(autouse=True)
def homes(tmp_path, monkeypatch):
    """No folder of the user's is looked into, and nothing is fetched from the net."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("MINITENSOR_HOME", str(tmp_path / "minitensor"))
    nowhere = [p for p in search_paths.folders() if tmp_path in p.parents]
    monkeypatch.setattr(search_paths, "folders", lambda: nowhere)
    closed = "http://127.0.0.1:9/"
    for name in NAMES:
        module = importlib.import_module(f"minitensor.keras.datasets.{name}")
        if hasattr(module, "_REMOTE"):
            old = module._REMOTE
            monkeypatch.setattr(module, "_REMOTE", Remote(closed + old.name, old.digest, old.name))
        else:
            shut = [Remote(closed + r.name, r.digest, r.name) for r in module._REMOTES]
            monkeypatch.setattr(module, "_REMOTES", shut)
    return tmp_path


def same(found, expected):
    for pair, wanted in zip(found, expected, strict=True):
        for array, other in zip(pair, wanted, strict=True):
            assert array.dtype == np.uint8
            np.testing.assert_array_equal(array.reshape(other.shape), other)


# ----- MNIST and Fashion-MNIST -----


def test_mnist_is_read_from_keras_npz(tmp_path):
    expected = files.write_mnist_npz(tmp_path / "small.npz")
    found = datasets.mnist.load_data(str(tmp_path / "small.npz"))
    same(found, expected)
    with np.load(tmp_path / "small.npz") as theirs:
        np.testing.assert_array_equal(found[0][0], theirs["x_train"])
    assert found[0][0].shape == (20, 28, 28)
    assert found[1][1].shape == (10,)


@pytest.mark.parametrize("packed", [True, False])
def test_mnist_is_read_from_idx_files(tmp_path, packed):
    expected = files.write_idx_folder(tmp_path / "four", packed=packed)
    same(datasets.mnist.load_data(tmp_path / "four"), expected)


def test_fashion_mnist_is_read_from_idx_files(tmp_path):
    expected = files.write_idx_folder(tmp_path / "four")
    same(datasets.fashion_mnist.load_data(tmp_path / "four"), expected)


@pytest.mark.parametrize("place", ["minitensor", "minitensor/datasets", "home/.keras/datasets"])
def test_data_sets_are_found_in_the_usual_folders(homes, place):
    expected = files.write_idx_folder(homes / place / "fashion-mnist")
    same(datasets.fashion_mnist.load_data(), expected)
    expected = files.write_mnist_npz(homes / place / "mnist.npz")
    same(datasets.mnist.load_data(), expected)


def test_keras_home_is_one_of_them(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("KERAS_HOME", "/somewhere")
    monkeypatch.setenv("MINITENSOR_HOME", "/else")
    found = [str(place) for place in search_paths.folders()]
    assert found[:3] == ["/else/datasets", "/else", "/somewhere/datasets"]
    assert found[-1] == "/usr/share/datasets"


# ----- CIFAR -----


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_cifar10_is_read_from_all_its_versions(tmp_path, binary, packed):
    content, expected = files.cifar10_files(binary=binary)
    write = files.write_archive if packed else files.write_folder
    found = datasets.cifar10.load_data(write(tmp_path / "cifar", content))
    same(found, expected)
    assert found[0][0].shape == (20, 32, 32, 3)
    assert found[0][1].shape == (20, 1)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("mode", ["coarse", "fine"])
def test_cifar100_has_two_kinds_of_labels(tmp_path, binary, mode):
    content, expected = files.cifar100_files(binary=binary)
    folder = files.write_folder(tmp_path / "cifar", content)
    for (x, y), (pixels, coarse, fine) in zip(
        datasets.cifar100.load_data(mode, path=folder), expected, strict=True
    ):
        np.testing.assert_array_equal(x, pixels)
        np.testing.assert_array_equal(y[:, 0], coarse if mode == "coarse" else fine)


def test_a_batch_means_what_keras_reads_in_it(tmp_path, tf):
    from keras.src.datasets.cifar import load_batch

    content, _ = files.cifar10_files()
    folder = files.write_folder(tmp_path / "cifar", content)
    x, y = load_batch(folder / "test_batch")
    _, (ours, labels) = datasets.cifar10.load_data(folder)
    np.testing.assert_array_equal(ours, x.transpose(0, 2, 3, 1))
    assert labels[:, 0].tolist() == y


def test_channels_come_first_if_keras_is_told_so(tmp_path):
    content, expected = files.cifar10_files()
    folder = files.write_folder(tmp_path / "cifar", content)
    keras.config.set_image_data_format("channels_first")
    try:
        (x, _), _ = datasets.cifar10.load_data(folder)
    finally:
        keras.config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(x, expected[0][0].transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    "name",
    [
        "cifar-10-batches-py",
        "cifar-10-batches-py-target/cifar-10-batches-py",
        "cifar-10-python.tar.gz",
        "cifar-10-batches-py.tar.gz",
    ],
)
def test_cifar10_is_found_as_keras_keeps_it(homes, name):
    content, expected = files.cifar10_files()
    write = files.write_archive if name.endswith("gz") else files.write_folder
    write(homes / "home/.keras/datasets" / name, content)
    same(datasets.cifar10.load_data(), expected)


def test_digits_come_with_the_package():
    (x, y), (u, v) = datasets.digits.load_data()
    assert (x.shape, y.shape, u.shape, v.shape) == ((1437, 8, 8), (1437,), (360, 8, 8), (360,))
    assert set(v.tolist()) == set(range(10))


@pytest.mark.parametrize("name", NAMES)
def test_signatures_begin_as_keras_do(name, tf):
    ours = getattr(datasets, name).load_data
    theirs = getattr(tf.keras.datasets, name).load_data
    words = [(p.name, p.default) for p in inspect.signature(ours).parameters.values()]
    wanted = [(p.name, p.default) for p in inspect.signature(theirs).parameters.values()]
    assert words[: len(wanted)] == wanted
    assert words[len(wanted) :] in ([], [("path", None)])


# ----- pickles execute nothing -----


class Evil:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_every_protocol_are_read(protocol):
    rows = files.images(3, (3072,))
    found = read_pickle(pickle.dumps({b"labels": [1, 2, 3], b"data": rows}, protocol))
    assert found["labels"] == [1, 2, 3]
    np.testing.assert_array_equal(found["data"], rows)


def test_text_of_python_2_is_read():
    rows = files.images(2, (5,))
    found = read_pickle(files.pickled({b"data": rows, b"names": [b"a", b"b"], b"count": 70000}))
    assert (found["names"], found["count"]) == (["a", "b"], 70000)
    np.testing.assert_array_equal(found["data"], rows)
    theirs = pickle.loads(files.pickled({b"data": rows}), encoding="bytes")
    np.testing.assert_array_equal(theirs[b"data"], rows)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_calls_a_function_is_refused_and_calls_nothing(tmp_path, protocol):
    import os

    mark = tmp_path / "executed"
    for evil in (Evil(os.system, f"touch {mark}"), Evil(eval, f"open({str(mark)!r}, 'w')")):
        for data in (evil, {b"data": evil}, {b"data": [evil]}):
            with pytest.raises(ValueError, match="refused"):
                read_pickle(pickle.dumps(data, protocol))
    assert not mark.exists()


def nested(depth):
    return b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."


def copies(count):
    """One megabyte of text, turned into bytes again and again."""
    text = b"X" + (1 << 20).to_bytes(4, "little") + b"a" * (1 << 20) + b"q\x00"
    once = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R0"
    return b"\x80\x02" + text + once.replace(b"0", b"") * count + b"."


HUGE = files.pickled({b"data": np.zeros((2, 2), np.uint8)})
BOMBS = {
    "nested lists": nested(100_000),
    "a list of lists": pickle.dumps({b"labels": [[1], [2]]}),
    "a list of itself": b"\x80\x02}X\x01\x00\x00\x00a]q\x00h\x00as.",
    "a shape that lies": HUGE.replace(b"K\x02", b"J\xff\xff\xff\x7f"),
    "a negative shape": HUGE.replace(b"K\x02", b"J\xff\xff\xff\xff"),
    "text turned into bytes too often": copies(50),
    "a large integer": pickle.dumps({b"a": 2**5000}),
    "objects": pickle.dumps({b"data": np.array([None, 1], object)}),
    "floats": pickle.dumps({b"data": np.zeros(3)}),
    "columns first": pickle.dumps({b"data": np.asfortranarray(np.zeros((2, 3), np.uint8))}),
    "a set": pickle.dumps({1, 2}),
    "no dictionary": pickle.dumps([1]),
    "keys that are numbers": pickle.dumps({1: 2}),
    "persistent": b"\x80\x02U\x01aQ.",
    "an extension": b"\x80\x02\x82\x01.",
    "an instance": b"(iposix\nsystem\n.",
    "a new object": b"\x80\x02cposix\nsystem\n)\x81.",
    "nothing": b"",
    "only a stop": b".",
    "a missing stop": b"\x80\x02}",
    "pops of nothing": b"\x80\x02e.",
    "a memo that is empty": b"\x80\x02h\x05.",
    "operations without end": b"\x80\x02" + b"N" * 1_000_001 + b".",
    "two values": b"\x80\x02}}.",
    "a length that lies": b"\x80\x02T\xff\xff\xff\x7fabc.",
    "a negative length": b"\x80\x02T\xff\xff\xff\xffabc.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_pickles_of_other_kinds_are_value_errors(name):
    with pytest.raises(ValueError, match="pickle"):
        read_pickle(BOMBS[name])


def test_a_pickle_cannot_multiply_its_bytes():
    with pytest.raises(ValueError, match="unpacks to more than it holds"):
        read_pickle(copies(50))


# ----- damaged files -----


def damaged_batch(tmp_path, change):
    content, _ = files.cifar10_files()
    content["data_batch_3"] = change(content["data_batch_3"])
    return files.write_folder(tmp_path / "cifar", content)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data[:-40], "data_batch_3: damaged pickle"),
        (lambda data: files.pickled({b"labels": [1]}), "'data' are no rows of 3072 bytes"),
        (lambda data: data.replace(b"labels", b"bagels"), "'labels' are no list of integers"),
        (
            lambda data: files.pickled({b"labels": [11], b"data": files.images(1, (3072,))}),
            "labels are not all from 0 to 9",
        ),
        (
            lambda data: files.pickled({b"labels": [1], b"data": files.images(2, (3072,))}),
            "2 images but 1 labels",
        ),
    ],
)
def test_a_damaged_batch_is_named(tmp_path, change, words):
    with pytest.raises(ValueError, match=words):
        datasets.cifar10.load_data(damaged_batch(tmp_path, change))


def test_a_missing_file_is_named(tmp_path):
    content, _ = files.cifar10_files()
    del content["data_batch_4"]
    for write, name in ((files.write_folder, "folder"), (files.write_archive, "a.tar.gz")):
        with pytest.raises(ValueError, match="no CIFAR-10: the file 'data_batch_4' is not in it"):
            datasets.cifar10.load_data(write(tmp_path / name, content))
    files.write_idx_folder(tmp_path / "four")
    (tmp_path / "four/t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte.gz .* is missing"):
        datasets.fashion_mnist.load_data(tmp_path / "four")
    with pytest.raises(FileNotFoundError):
        datasets.mnist.load_data(str(tmp_path / "none.npz"))


def test_paths_and_links_in_an_archive_mean_nothing(tmp_path):
    secret = tmp_path / "secret"
    content, _ = files.cifar10_files()
    secret.write_bytes(content.pop("test_batch"))
    file = files.write_archive(tmp_path / "cifar.tar.gz", content)
    with gzip.open(file) as packed:
        plain = packed.read()
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        for name in ("test_batch", "../../escaped", "/tmp/escaped"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, str(secret)
            archive.addfile(link)
    links = (tmp_path / "links.tar").read_bytes().rstrip(b"\0")
    file.write_bytes(gzip.compress(links + bytes(-len(links) % 512) + plain))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="'test_batch' is not in it"):
        datasets.cifar10.load_data(file)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_npz_with_pickles_in_it_is_refused(tmp_path):
    file = tmp_path / "mnist.npz"
    np.savez(file, x_train=np.array([{}], object), y_train=1, x_test=1, y_test=1)
    with pytest.raises(ValueError, match="holds object"):
        datasets.mnist.load_data(str(file))


def test_an_npz_that_unpacks_to_too_much_is_not_unpacked(tmp_path, monkeypatch):
    files.write_mnist_npz(tmp_path / "mnist.npz")
    monkeypatch.setattr(npz, "MOST", 1000)
    monkeypatch.setattr(npz, "read_up_to", None)
    with pytest.raises(ValueError, match="more than the 1000 that are read"):
        datasets.mnist.load_data(str(tmp_path / "mnist.npz"))


@pytest.mark.parametrize(
    "arrays",
    [
        {"x_train": np.zeros((2, 28, 28), np.float32)},
        {"y_train": np.zeros(3, np.uint8)},
        {"x_test": np.zeros((1, 784), np.uint8)},
    ],
)
def test_an_npz_of_other_arrays_is_refused(tmp_path, arrays):
    whole = {"x_train": np.zeros((2, 28, 28), np.uint8), "y_train": np.zeros(2, np.uint8)}
    whole |= {"x_test": np.zeros((1, 28, 28), np.uint8), "y_test": np.zeros(1, np.uint8)}
    np.savez(tmp_path / "mnist.npz", **whole | arrays)
    with pytest.raises(ValueError, match=r"images \(N, H, W\) and labels \(N,\) of bytes"):
        datasets.mnist.load_data(str(tmp_path / "mnist.npz"))


# ----- the net -----


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture
def server(tmp_path):
    """The URL of a local server, and the folder it shows."""
    root = tmp_path / "served"
    root.mkdir()
    handler = functools.partial(Quiet, directory=root)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/", root
        running.shutdown()
        thread.join()


def test_what_is_nowhere_is_downloaded_once(homes, server, monkeypatch, capsys):
    url, root = server
    expected = files.write_mnist_npz(root / "mnist.npz")
    digest = hashlib.sha256((root / "mnist.npz").read_bytes()).hexdigest()
    remote = Remote(url + "mnist.npz", digest, "mnist.npz")
    monkeypatch.setattr(datasets.mnist, "_REMOTE", remote)
    same(datasets.mnist.load_data(), expected)
    assert "mnist.npz" in capsys.readouterr().err  # the bar
    kept = homes / "minitensor/datasets/mnist.npz"
    assert [p.name for p in kept.parent.iterdir()] == ["mnist.npz"]
    (root / "mnist.npz").unlink()
    same(datasets.mnist.load_data(), expected)


def test_fashion_mnist_comes_in_four_files(homes, server, monkeypatch):
    url, root = server
    expected = files.write_idx_folder(root)
    remotes = [
        Remote(url + name, hashlib.md5((root / name).read_bytes()).hexdigest(), name)
        for name in sorted(p.name for p in root.iterdir())
    ]
    monkeypatch.setattr(datasets.fashion_mnist, "_REMOTES", remotes)
    same(datasets.fashion_mnist.load_data(), expected)
    assert len(list((homes / "minitensor/datasets/fashion-mnist").iterdir())) == 4


def test_a_download_with_another_checksum_leaves_nothing(homes, server, monkeypatch):
    url, root = server
    files.write_mnist_npz(root / "mnist.npz")
    monkeypatch.setattr(datasets.mnist, "_REMOTE", Remote(url + "mnist.npz", "0" * 64, "mnist.npz"))
    with pytest.raises(ValueError, match=r"checksum .* official file has 0000"):
        datasets.mnist.load_data()
    assert [p for p in (homes / "minitensor").rglob("*") if p.is_file()] == []


def test_a_download_that_breaks_off_leaves_nothing(tmp_path, server, monkeypatch):
    url, root = server
    (root / "file").write_bytes(b"x" * 1000)
    monkeypatch.setattr(Quiet, "copyfile", lambda self, source, out: out.write(source.read(500)))
    with pytest.raises(ValueError, match="ended after 500 of 1000 bytes"):
        download.download(Remote(url + "file", "", "file"), tmp_path / "goal/file")
    assert list((tmp_path / "goal").iterdir()) == []


def test_an_interrupted_download_leaves_nothing(tmp_path, server, monkeypatch):
    url, root = server
    (root / "file").write_bytes(b"x" * 1000)

    def stop(*words):
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_copied", stop)
    with pytest.raises(KeyboardInterrupt):
        download.download(Remote(url + "file", "", "file"), tmp_path / "goal/file")
    assert list((tmp_path / "goal").iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_without_a_network_the_message_says_what_to_do(homes, name):
    with pytest.raises(OSError, match="Bring the file by hand") as caught:
        getattr(datasets, name).load_data()
    text = str(caught.value)
    assert "http://127.0.0.1:9/" in text
    assert all(str(place) in text for place in search_paths.folders())


def test_the_checksums_of_npz_and_cifar_are_those_in_keras_source(tf, monkeypatch):
    monkeypatch.undo()
    for name in ("mnist", "cifar10", "cifar100"):
        theirs = inspect.getsource(inspect.getmodule(getattr(tf.keras.datasets, name).load_data))
        ours = importlib.import_module(f"minitensor.keras.datasets.{name}")._REMOTE
        assert ours.digest in theirs
        assert ours.url.rpartition("/")[2] in theirs
