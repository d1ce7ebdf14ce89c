"""What strategies answer, as JSON: run by TensorFlow and here, by `test_strategies.py`."""

import json

import numpy as np
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
distribute = tf.distribute
ON_READ = tf.VariableSynchronization.ON_READ
AGGREGATION = tf.VariableAggregation
strategy = distribute.MirroredStrategy(["CPU:0", "CPU:1"])
answers = {}


def plain(value):
    """Numbers and lists of what a probe gave."""
    if isinstance(value, distribute.DistributedValues) and not isinstance(value, tf.Variable):
        return {"each": [plain(v) for v in value.values]}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {name: plain(v) for name, v in value.items()}
    numbers = hasattr(value, "numpy") or isinstance(value, np.ndarray | np.generic)
    return np.asarray(value).tolist() if numbers else value


def probe(function):
    """Keeps what a function gives, or the kind of error that it raises."""
    try:
        answers[function.__name__] = plain(function())
    except Exception as error:
        answers[function.__name__] = {"error": type(error).__name__}


def number():
    return tf.cast(distribute.get_replica_context().replica_id_in_sync_group, tf.float32)


with strategy.scope():
    v = tf.Variable(1.0)
    total = tf.Variable(0.0, synchronization=ON_READ, aggregation=AGGREGATION.SUM)
    mean = tf.Variable(1.0, aggregation=AGGREGATION.MEAN)
    summed = tf.Variable(1.0, aggregation=AGGREGATION.SUM)
    first = tf.Variable(1.0, aggregation=AGGREGATION.ONLY_FIRST_REPLICA)
    inside = [distribute.get_strategy() is strategy, distribute.has_strategy()]
    inside += [distribute.get_replica_context() is None, distribute.in_cross_replica_context()]


@probe
def where_a_program_is():
    context = distribute.get_replica_context()
    outside = [distribute.has_strategy(), distribute.in_cross_replica_context()]
    return inside, outside, context.num_replicas_in_sync, strategy.num_replicas_in_sync


@probe
def variables_are_copies():
    return isinstance(v, tf.Variable), isinstance(v, distribute.DistributedValues), len(v.values)


@probe
def run_returns_nests():
    return strategy.run(lambda: {"a": number() * 2.0, "b": [v + number()], "c": 3, "d": None})


@probe
def run_gives_each_its_own():
    each = strategy.run(lambda: number() + 1.0)
    return strategy.run(lambda x, k=None: x * k, args=(each,), kwargs={"k": 10.0})


@probe
def collectives():
    def each():
        context = distribute.get_replica_context()
        i = number()
        return (
            context.all_reduce("SUM", i + 1.0),
            context.all_reduce(distribute.ReduceOp.MEAN, [i, i + 2.0]),
            context.all_gather(tf.reshape(i, [1, 1]), axis=0),
        )

    return strategy.run(each)


@probe
def all_reduce_has_a_derivative():
    def each():
        x = number() + 1.0
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = distribute.get_replica_context().all_reduce("SUM", x * x) * (number() + 3.0)
        return tape.gradient(y, x)

    return strategy.run(each)


@probe
def a_sum_is_read_between_runs():
    strategy.run(lambda: total.assign_add(number() + 1.0))
    seen = [total.numpy(), total + 0.0, [np.asarray(x) for x in total.values]]
    total.assign(10.0)
    return plain(seen), total.numpy()


@probe
def assigned_in_a_replica():
    strategy.run(lambda: mean.assign(number() + 3.0))
    strategy.run(lambda: summed.assign(number() + 3.0))
    strategy.run(lambda: first.assign(number() + 3.0))
    return [x.numpy() for x in (mean, summed, first)]


@probe
def added_in_a_replica():
    for x in (mean, summed, first):
        x.assign(1.0)
    strategy.run(lambda: mean.assign_add(number() + 3.0))
    strategy.run(lambda: summed.assign_sub(number() + 3.0))
    return [x.numpy() for x in (mean, summed)]


@probe
def assigned_between_runs():
    v.assign(5.0)
    return v.values


each = strategy.run(lambda: tf.range(3.0) + number())
for op in ("SUM", "MEAN", "mean"):
    for axis in (None, 0):
        answers[f"reduce {op} {axis}"] = plain(strategy.reduce(op, each, axis=axis))


@probe
def gathered():
    return strategy.gather(each, axis=0), strategy.experimental_local_results(each)


@probe
def reduced_plain():
    return strategy.reduce("MEAN", tf.constant(1.0), axis=None)


@probe
def reduced_plain_sum():
    return strategy.reduce("SUM", tf.constant(1.0), axis=None)


@probe
def no_reduce_op():
    return strategy.reduce("MAX", each, axis=None)


@probe
def merged():
    def merge(strategy, x, y):
        return len(strategy.experimental_local_results(x)), strategy.reduce("SUM", x, axis=None), y

    return strategy.run(
        lambda: distribute.get_replica_context().merge_call(merge, args=(number() + 1.0, 7))
    )


@probe
def run_in_run():
    return strategy.run(lambda: strategy.run(lambda: 1))


@probe
def an_error_in_a_replica():
    return strategy.run(lambda: 1 / 0)


@probe
def values_from_a_function():
    return strategy.experimental_distribute_values_from_function(
        lambda context: [context.replica_id_in_sync_group, context.num_replicas_in_sync]
    )


def batches(dataset):
    return [plain(x) for x in dataset]


for size in (10, 11, 13):
    for batch in (4, 5):
        data = tf.data.Dataset.range(size).batch(batch)
        answers[f"{size} by {batch}"] = batches(strategy.experimental_distribute_dataset(data))


@probe
def datasets_from_a_function():
    def own(context):
        assert context.num_input_pipelines == 1
        assert context.get_per_replica_batch_size(4) == 2
        return tf.data.Dataset.range(5).batch(2)

    return batches(strategy.distribute_datasets_from_function(own))


@probe
def uneven_batches_are_refused():
    return distribute.InputContext(1, 0, 3).get_per_replica_batch_size(4)


@probe
def losses_are_shared_out():
    mse = tf.keras.losses.MeanSquaredError()
    return strategy.run(
        lambda: [
            tf.nn.compute_average_loss(tf.constant([1.0, 2.0]), global_batch_size=4),
            tf.nn.compute_average_loss(tf.constant([1.0, 2.0])),
            tf.nn.scale_regularization_loss(tf.constant([1.0, 2.0])),
            mse([[1.0], [2.0]], [[3.0], [3.0]]),
        ]
    )


@probe
def optimizers_add_gradients():
    with strategy.scope():
        w = tf.Variable([1.0, 2.0])
        rule = tf.keras.optimizers.SGD(0.5, momentum=0.5)
        rule.build([w])

    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(w * w) * (number() + 1.0)
        rule.apply_gradients([(tape.gradient(loss, w), w)])
        return w + 0.0

    return [plain(strategy.run(step)) for _ in range(3)]


@probe
def one_device():
    one = distribute.OneDeviceStrategy("/cpu:0")
    with one.scope():
        w = tf.Variable(2.0)
    return one.run(lambda: w + 1.0), one.num_replicas_in_sync, one.reduce("SUM", 3.0, axis=None)


print(json.dumps(answers))
