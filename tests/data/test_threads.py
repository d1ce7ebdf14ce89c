"""Pipelines on threads: the order, the errors and the draws of one thread, and their end."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import minitensor as mt

AUTOTUNE = mt.data.AUTOTUNE


others = set()  # threads of iterators that tests of other files still hold


@pytest.fixture(autouse=True)
def _know_the_others():
    gc.collect()
    others.clear()
    others.update(all_working())


def all_working():
    return [thread for thread in threading.enumerate() if thread.name == "minitensor data"]


def working():
    return [thread for thread in all_working() if thread not in others]


def all_ended():
    gc.collect()
    deadline = time.monotonic() + 10
    while working() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not working()


def numbers(dataset):
    return [int(n) for n in dataset]


def spread(lib, n):
    return lib.data.Dataset.range(n, 3 * n)


PIPELINES = {
    "map": lambda lib, d: d.map(lambda n: n * n, num_parallel_calls=3),
    "map AUTOTUNE": lambda lib, d: d.map(lambda n: n * n, AUTOTUNE),
    "map and batch": lambda lib, d: d.map(lambda n: -n, 2).batch(4).unbatch(),
    "prefetch": lambda lib, d: d.prefetch(2),
    "prefetch AUTOTUNE": lambda lib, d: d.repeat(2).prefetch(AUTOTUNE).take(30),
    "prefetch nothing": lambda lib, d: d.prefetch(0),
    "interleave": lambda lib, d: d.interleave(lambda n: spread(lib, n), 3, 2, 3),
    "interleave with fewer threads": lambda lib, d: d.interleave(lambda n: spread(lib, n), 5, 1, 2),
    "all": lambda lib, d: (
        d.map(lambda n: n + 1, 2).interleave(lambda n: spread(lib, n), 2, 1, 2).prefetch(3)
    ),
    "inside": lambda lib, d: d.flat_map(
        lambda n: spread(lib, n).map(lambda k: k - 1, 2).prefetch(1)
    ),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_the_order_is_tensorflow_s(tf, name):
    ours, theirs = (numbers(PIPELINES[name](lib, lib.data.Dataset.range(23))) for lib in (mt, tf))
    assert ours == theirs
    assert all_ended()


def test_calls_of_a_map_run_at_the_same_time():
    meeting = threading.Barrier(3, timeout=20)
    dataset = mt.data.Dataset.range(3).map(lambda n: meeting.wait() * 0 + n, num_parallel_calls=3)
    assert numbers(dataset) == [0, 1, 2]


def test_datasets_that_are_interleaved_run_at_the_same_time():
    meeting = threading.Barrier(2, timeout=20)

    def inner(n):
        return mt.data.Dataset.range(n, n + 2).map(lambda k: meeting.wait() * 0 + k)

    dataset = mt.data.Dataset.range(2)
    assert numbers(dataset.interleave(inner, 2, num_parallel_calls=2)) == [0, 1, 1, 2]


def test_a_prefetch_works_while_its_element_is_used():
    made = threading.Semaphore(0)
    dataset = mt.data.Dataset.range(5).map(lambda n: made.release() or n).prefetch(2)
    iterator = iter(dataset)
    next(iterator)
    assert all(made.acquire(timeout=20) for _ in range(3))  # one was asked for, two are ahead
    assert not made.acquire(timeout=0.05)
    assert numbers(iterator) == [1, 2, 3, 4]


@pytest.mark.parametrize("how", ["argument", "option"])
def test_elements_may_overtake_one_another_if_that_is_allowed(how):
    others = threading.Semaphore(0)

    def last(n):  # the first comes after all others
        if int(n) == 0:
            assert all(others.acquire(timeout=20) for _ in range(3))
        else:
            others.release()
        return n

    def inner(n):
        return mt.data.Dataset.from_tensors(n).map(last)

    for step in (
        lambda d, **kw: d.map(last, num_parallel_calls=4, **kw),
        lambda d, **kw: d.interleave(inner, 4, 1, 4, **kw),
    ):
        given = {"deterministic": False} if how == "argument" else {}
        dataset = step(mt.data.Dataset.range(4), **given)
        if how == "option":
            options = mt.data.Options()
            options.deterministic = False
            dataset = dataset.with_options(options)
        found = numbers(dataset)
        assert sorted(found) == [0, 1, 2, 3]
        assert found[-1] == 0


def failing(lib, count=9):
    def checked(n):
        bad = lib.where(lib.equal(n % 4, 2), float("nan"), 1.0)
        return lib.debugging.check_numerics(bad, "bad number") * lib.cast(n, "float32")

    return lib.data.Dataset.range(count).map(checked)


FAILING = {
    "prefetch": lambda lib: failing(lib).prefetch(2),
    "map": lambda lib: failing(lib).map(lambda x: x + 1, 3),
    "map itself": lambda lib: lib.data.Dataset.range(9).map(
        lambda n: lib.debugging.check_numerics(
            lib.where(lib.equal(n % 3, 1), float("nan"), lib.cast(n, "float32")), "bad number"
        ),
        num_parallel_calls=2,
    ),
    "interleave of what fails": lambda lib: failing(lib).interleave(
        lambda x: lib.data.Dataset.from_tensors(x).repeat(3), 2, 1, 2
    ),
    "interleave": lambda lib: lib.data.Dataset.range(1, 4).interleave(
        lambda n: failing(lib, 4).map(lambda x: x + lib.cast(n, "float32")), 2, 1, 2
    ),
}


def events(dataset):
    found, iterator = [], iter(dataset)
    while len(found) < 40:
        try:
            found.append(float(next(iterator)))
        except StopIteration:
            return found
        except Exception as problem:
            found.append("error" if "bad number" in str(problem) else str(problem))
    raise AssertionError(f"no end: {found}")


@pytest.mark.parametrize("name", FAILING)
def test_an_error_comes_with_its_words_in_its_place(tf, name):
    assert events(FAILING[name](mt)) == events(FAILING[name](tf))
    assert all_ended()


@pytest.mark.parametrize("calls", [1, 2, 5])
def test_random_numbers_do_not_depend_on_the_threads(calls):
    def drawn():
        mt.random.set_seed(3)
        dataset = mt.data.Dataset.range(200).map(lambda n: mt.random.uniform([2]))
        dataset = dataset.map(lambda x: x + mt.random.normal([2]), num_parallel_calls=calls)
        dataset = dataset.shuffle(20).prefetch(3).map(lambda x: x * mt.random.uniform([2]))
        return [x.numpy().tolist() for x in dataset]

    found = [drawn() for _ in range(2)]
    assert found[0] == found[1]
    kept = test_random_numbers_do_not_depend_on_the_threads.__dict__.setdefault("first", found[0])
    assert found[0] == kept  # the same for all numbers of threads
    assert len({x for pair in found[0] for x in pair}) == 400


@pytest.mark.parametrize("name", PIPELINES)
def test_a_dropped_iterator_ends_its_threads(name):
    iterator = iter(PIPELINES[name](mt, mt.data.Dataset.range(10**6).skip(1)))
    next(iterator)
    assert working() or name == "prefetch nothing"
    del iterator
    assert all_ended()


def test_no_number_of_threads_is_refused():
    dataset = mt.data.Dataset.range(3)
    for number in (0, -2):
        with pytest.raises(ValueError, match="num_parallel_calls"):
            dataset.map(lambda n: n, num_parallel_calls=number)
        with pytest.raises(ValueError, match="num_parallel_calls"):
            dataset.interleave(mt.data.Dataset.range, num_parallel_calls=number)
    with pytest.raises(ValueError, match="at most cycle_length=2, got 3"):
        dataset.interleave(mt.data.Dataset.range, 2, num_parallel_calls=3)
    with pytest.raises(ValueError, match="buffer_size"):
        dataset.prefetch(-2)


PROGRAM = """
import sys, time
import minitensor as tf
def slow(n):
    time.sleep(0.0 if int(n) == 0 else 60)
    return n
d = tf.data.Dataset.range(9)
d = {step}
i = iter(d)
next(i)
print("ready", flush=True)
{then}
"""
STEPS = ["d.map(slow, 2)", "d.map(slow).prefetch(2)"]
STEPS += ["d.interleave(lambda n: tf.data.Dataset.from_tensors(n).map(slow), 2, 1, 2)"]


@pytest.mark.parametrize("step", STEPS)
def test_a_program_is_interrupted_or_ends_while_threads_work(step):
    for then, code in (("next(i)", -signal.SIGINT), ("sys.exit(3)", 3)):
        words = PROGRAM.format(step=step, then=then)
        with subprocess.Popen(
            [sys.executable, "-c", words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as program:
            assert program.stdout.readline() == "ready\n"
            if code < 0:
                time.sleep(0.2)
                os.kill(program.pid, signal.SIGINT)
            _, said = program.communicate(timeout=20)
            assert program.returncode == code, said
            assert ("KeyboardInterrupt" in said) == (code < 0)
