"""What is not here, why, and the nearest thing: what errors and the page docs/names.md say of it.

A leaf, loaded when a name is missing.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple


class Topic(NamedTuple):
    """Something that stays out as a whole."""

    title: str
    names: str  # patterns of dotted names without "tf.": keras.layers.LSTM
    why: str
    instead: str


STAYS_OUT = (
    Topic(
        "Recurrent layers, text and embeddings",
        "*RNN* *.LSTM* *GRU* keras.layers.Bidirectional *Embedding* *embedding* "
        "nn.*_candidate_sampler random.*_candidate_sampler nn.ctc_* *.CTC *.ctc *ctc_* "
        "nn.nce_loss nn.sampled_softmax_loss keras.layers.TextVectorization "
        "keras.layers.StringLookup keras.layers.IntegerLookup keras.layers.Hash* "
        "keras.layers.CategoryEncoding keras.layers.Discretization "
        "*text_dataset_from_directory *timeseries_dataset_from_array "
        "keras.preprocessing.text* keras.preprocessing.sequence* keras.utils.pad_sequences "
        "keras.datasets.imdb keras.datasets.reuters keras.utils.FeatureSpace feature_column* "
        "lookup* strings.unicode_* strings.ngrams strings.to_hash_bucket* keras.backend.rnn "
        "nn.collapse_repeated",
        "this is a house for convolutions: a step through time alone is no window over space",
        "keras.layers.Conv1D with padding='causal' and dilation_rate reads sequences, "
        "keras.layers.ConvLSTM1D, ConvLSTM2D and ConvLSTM3D sequences of signals, images, volumes; "
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
        "io.RaggedFeature "
        "keras.backend.is_sparse keras.backend.to_dense data.experimental.dense_to_*",
        "a window needs all its neighbours: images are dense",
        "Dataset.padded_batch, tf.pad and masks make lengths equal; tf.one_hot and tf.gather pick; "
        "io.FixedLenSequenceFeature(shape, dtype, allow_missing=True) reads lists of any length, "
        "and tf.sparse.to_dense what io.VarLenFeature reads",
    ),
    Topic(
        "TPUs, parameter servers and sharded models",
        "tpu* distribute.*TPU* distribute.*ParameterServer* distribute.*CentralStorage* "
        "distribute.Server distribute.cluster_resolver* distribute.coordinator* "
        "distribute.experimental.coordinator* "
        "distribute.experimental.partitioners* distribute.experimental.rpc* dtensor* "
        "keras.distribution* DeviceSpec train.Cluster* "
        "train.ServerDef train.JobDef config.experimental_connect_to_* "
        "*virtual_device_configuration *VirtualDeviceConfiguration data.experimental.service* "
        "*ClusterDeviceFilters "
        "test.create_local_cluster train.Coordinator data.experimental.Auto* "
        "AggregationMethod CriticalSection",
        "all replicas hold the whole model and go in step, so that every step can be read",
        "tf.distribute.MirroredStrategy and MultiWorkerMirroredStrategy share a batch",
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
        "Other formats of records",
        "io.parse_* io.decode_csv "
        "io.decode_proto io.encode_proto io.decode_json_example io.decode_compressed "
        "io.serialize_* io.deserialize_* data.*RecordDataset "
        "data.experimental.*csv* data.experimental.Csv* data.experimental.Sql* "
        "data.experimental.*parse_example* data.experimental.make_batched_features_dataset",
        "images lie in folders, in .npz, in TFRecords and in the files of their publishers",
        "keras.utils.image_dataset_from_directory, TFRecordDataset with tf.train.Example, and "
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


def topic_of(name: str) -> Topic | None:
    """What a dotted name, without "tf.", stays out with; None if it only is not there yet."""
    for topic in STAYS_OUT:
        if any(fnmatchcase(name, pattern) for pattern in topic.names.split()):
            return topic
    return None
