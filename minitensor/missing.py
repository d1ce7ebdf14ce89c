"""What is not here, why, and the nearest thing: what errors and the page docs/names.md say of it.

A leaf: all may read it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple


class Topic(NamedTuple):
    """Something that stays out as a whole."""

    title: str
    names: str  # patterns of dotted names without "tf.": keras.layers.LSTM
    why: str
    instead: str


STAYS_OUT = (
    Topic(
        "Recurrent layers, text and embeddings",
        "*RNN* *LSTM* *GRU* keras.layers.Bidirectional *Embedding* *embedding* "
        "nn.*_candidate_sampler random.*_candidate_sampler nn.ctc_* *.CTC *.ctc *ctc_* "
        "nn.nce_loss nn.sampled_softmax_loss keras.layers.TextVectorization "
        "keras.layers.StringLookup keras.layers.IntegerLookup keras.layers.Hash* "
        "keras.layers.CategoryEncoding keras.layers.Discretization "
        "*text_dataset_from_directory *timeseries_dataset_from_array "
        "keras.preprocessing.text* keras.preprocessing.sequence* keras.utils.pad_sequences "
        "keras.datasets.imdb keras.datasets.reuters keras.utils.FeatureSpace feature_column* "
        "lookup* strings.unicode_* strings.ngrams strings.to_hash_bucket* keras.backend.rnn "
        "nn.collapse_repeated",
        "this is a house for convolutions: a step through time is no window over space",
        "keras.layers.Conv1D with padding='causal' and dilation_rate reads sequences; "
        "tf.one_hot and keras.layers.Dense read categories",
    ),
    Topic(
        "Decompositions",
        "linalg.cholesky* linalg.svd linalg.qr linalg.lu* linalg.eig* linalg.expm linalg.logm "
        "linalg.sqrtm linalg.det linalg.logdet linalg.slogdet linalg.inv linalg.pinv "
        "linalg.lstsq linalg.solve linalg.*_solve linalg.matrix_rank linalg.LinearOperator* "
        "linalg.experimental* linalg.tridiagonal_* eig eigvals eigh svd qr cholesky "
        "matrix_square_root keras.ops.linalg.* keras.ops.svd keras.ops.qr keras.ops.cholesky* "
        "keras.ops.eig* keras.ops.inv keras.ops.det keras.ops.solve* keras.ops.lu_factor "
        "keras.ops.lstsq keras.ops.logdet keras.ops.slogdet keras.ops.pinv keras.ops.matrix_rank "
        "linalg.matrix_square_root",
        "no convolution network factors a matrix, and LAPACK does it better",
        "numpy.linalg takes a tensor's .numpy()",
    ),
    Topic(
        "FFT and complex numbers",
        "signal* complex* dtypes.complex* *fft* math.real math.imag math.conj math.angle real "
        "imag conj angle *STFT* *stft* *Spectrogram audio* keras.ops.*fft* keras.ops.polar "
        "keras.ops.view_as_*",
        "kernels here are small, where the direct sum wins, and nothing else needs them",
        "numpy.fft takes a tensor's .numpy()",
    ),
    Topic(
        "Ragged and sparse tensors",
        "ragged* *Ragged* sparse* *Sparse* IndexedSlices* *_sparse* *.sparse_* sets* "
        "keras.backend.is_sparse keras.backend.to_dense data.experimental.dense_to_*",
        "a window needs all its neighbours: images are dense",
        "Dataset.padded_batch, tf.pad and masks make lengths equal; tf.one_hot and tf.gather pick",
    ),
    Topic(
        "TPUs, clusters and several devices",
        "tpu* distribute* dtensor* keras.distribution* DeviceSpec train.Cluster* "
        "train.ServerDef train.JobDef *Distribut* config.experimental_connect_to_* "
        "*logical_device_configuration *virtual_device_configuration "
        "*VirtualDeviceConfiguration *LogicalDeviceConfiguration data.experimental.service* "
        "*AutoShardPolicy VariableAggregation VariableSynchronization *ClusterDeviceFilters "
        "test.create_local_cluster train.Coordinator data.experimental.Auto* "
        "AggregationMethod CriticalSection",
        "one process computes on one device, so that every step can be read",
        "tf.device('/GPU:0') chooses the device; minitensor.to_device moves a tensor",
    ),
    Topic(
        "TensorFlow Lite and other compilers",
        "lite* mlir* xla* quantization* *quantiz* *Quantiz* qint* quint* dtypes.qint* "
        "dtypes.quint* dtypes.QUANTIZED_DTYPES *.jit *fake_quant* config.optimizer* "
        "*mlir_bridge keras.export* sysconfig* load_library load_op_library raw_ops* types* "
        "*flash_attention*",
        "kernels are compiled from kernels/*.cu, which are there to be read, and from nothing else",
        "model.save writes a .keras file, which TensorFlow loads and converts",
    ),
    Topic(
        "SavedModel",
        "saved_model* keras.layers.TFSMLayer",
        "a SavedModel is a graph of TensorFlow's ops, and there are no graphs here",
        "model.save('name.keras') writes a model, tf.train.Checkpoint variables",
    ),
    Topic(
        "Graphs and sessions of TensorFlow 1",
        "compat* Graph Operation* control_dependencies init_scope import_graph_def "
        "graph_util* RegisterGradient no_gradient *in_graph* group no_op guarantee_const "
        "autograph* Session placeholder contrib* global_variables_initializer get_variable "
        "variable_scope summary.graph summary.trace_* inside_function is_symbolic_tensor "
        "identity_n gradients get_static_value *_graph_def queue* make_ndarray "
        "make_tensor_proto resource variant dtypes.resource dtypes.variant estimator app "
        "flags get_default_graph Print *Graph*",
        "everything runs when it is called, as in TensorFlow 2",
        "tf.function runs a function as it is; tf.GradientTape differentiates",
    ),
    Topic(
        "TFRecords and other formats of records",
        "*TFRecord* train.Example train.Feature* train.SequenceExample train.*List io.parse_* "
        "io.*Feature* io.decode_csv io.decode_proto io.encode_proto io.decode_json_example "
        "io.decode_compressed io.serialize_* io.deserialize_* data.*RecordDataset "
        "data.experimental.*csv* data.experimental.Csv* data.experimental.Sql* "
        "data.experimental.*parse_example* data.experimental.make_batched_features_dataset",
        "images lie in folders, in .npz and in the files of their publishers",
        "keras.utils.image_dataset_from_directory, Dataset.from_tensor_slices, and "
        "Dataset.from_generator with any reader",
    ),
    Topic(
        "Other frameworks and services",
        "*JaxLayer *FlaxLayer *TorchModuleWrapper *Orbax* *RemoteMonitor profiler* "
        "keras.wrappers* keras.distillation* keras.visualization* *nnx* security* tools*",
        "they belong to other libraries",
        "NumPy arrays and DLPack carry tensors to them and back",
    ),
)
_COMMON = 4  # letters that a name and a longer one begin with, to be near


def topic_of(name: str) -> Topic | None:
    """What a dotted name, without "tf.", stays out with; None if it only is not there yet."""
    from fnmatch import fnmatchcase

    for topic in STAYS_OUT:
        if any(fnmatchcase(name, pattern) for pattern in topic.names.split()):
            return topic
    return None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was meant, if one is near enough to say so."""
    import difflib  # 2 ms, and seldom needed

    names = list(known)
    same = [other for other in names if other.lower() == name.lower()]
    alike = [other for other in names if other[:1].lower() == name[:1].lower()]
    near = same or difflib.get_close_matches(name, alike, n=1, cutoff=0.75)
    longer = [n for n in names if len(name) >= _COMMON and n.startswith(name)]
    return next(iter([*near, *sorted(longer, key=len)]), None)


def told(path: str, known: Iterable[str], elsewhere: Iterable[str] = ()) -> str:
    """What is said of a dotted name, "tf.nn.conv2", that is not there.

    Args:
        path: the name.
        known: what is there in the same place.
        elsewhere: dotted names of other places with the same last part.

    Example:
        >>> from minitensor.missing import told
        >>> told("tf.nn.conv2", ["conv2d", "relu"])
        'minitensor has no tf.nn.conv2; the nearest is tf.nn.conv2d'
    """
    place, _, name = path.rpartition(".")
    inside = path.removeprefix("tf.")
    lacks = f"minitensor has no {path}"
    if there := ", ".join(elsewhere):
        return f"{lacks}; it has {there}"
    topic = topic_of(inside)
    if topic is not None:
        return f"{lacks} ({topic.title}): {topic.why}; {topic.instead}"
    near = nearest(name, known)
    return f"{lacks}; the nearest is {place}.{near}" if near else lacks


class MissingNameError(AttributeError):
    """An AttributeError whose words are found when somebody reads them: most are only caught."""

    def __init__(self, words: Callable[[], str]) -> None:
        super().__init__()
        self._words = words

    def __str__(self) -> str:
        return self._words()


def refused(place: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error of a module without a name: with `told`'s words, for private names plain."""
    if name[:1] == "_":
        return AttributeError(f"module {place!r} has no attribute {name!r}")
    return MissingNameError(lambda: told(f"{place}.{name}", known))


def refusing(place: str, module: str) -> Callable[[str], object]:
    """The `__getattr__` of a module that TensorFlow calls `place`."""

    def refuse(name: str) -> object:
        raise refused(place, name, vars(sys.modules[module]))

    return refuse


class Hinting:
    """A class whose objects say what is nearest to an attribute that they lack."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name[:1] == "_":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            if hasattr(type(self), name):  # a property that has no answer says why itself
                return super().__getattribute__(name)
            raise MissingNameError(lambda: lacking(self, name))


# What programs of Keras 2 and TensorFlow 1 ask an object for, and what there is now.
RENAMED = {
    "output_shape": "Keras 3 has it in layer.output.shape",
    "input_shape": "Keras 3 has it in layer.input.shape",
    "make_one_shot_iterator": "iter(dataset) gives an iterator",
    "make_initializable_iterator": "iter(dataset) gives an iterator",
    "eval": "there are no sessions: .numpy() is the value",
    "op": "there are no graphs: nothing is known of where a tensor came from",
    "graph": "there are no graphs",
    "initializer": "a variable has its value from the beginning",
    "fit_generator": "model.fit takes generators",
    "evaluate_generator": "model.evaluate takes generators",
    "predict_generator": "model.predict takes generators",
    "predict_classes": "model.predict(x).argmax(-1) gives classes",
    "predict_proba": "model.predict gives probabilities",
    "get_weights_by_name": "model.get_layer(name).get_weights()",
}


def lacking(thing: object, name: str) -> str:
    """What is said of an attribute that an object lacks."""
    kind = type(thing).__name__
    lacks = f"{kind!r} object has no attribute {name!r}"
    if name in RENAMED:
        return f"{lacks}: {RENAMED[name]}"
    topic = topic_of(f"{kind}.{name}")
    near = nearest(name, [n for n in dir(thing) if n[:1] != "_"])
    if topic is not None and near is None:
        return f"{lacks} ({topic.title}): {topic.why}; {topic.instead}"
    return f"{lacks}; the nearest is {near!r}" if near else lacks
