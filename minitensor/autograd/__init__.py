"""Tensors that remember how they were made, and tapes that walk back from them.

    tensor.py     Tensor and its shape
    dtype.py      DType: what its elements are
    variable.py   Variable: a value that changes, and whose reads a tape notices
    convert.py    how Python numbers, lists and NumPy arrays become Tensors; which dtypes may meet;
                  a tensor from one device to another
    primitive.py  an op: a function of raw arrays, and one derivative per tensor argument
    restoring.py  who waits for parts of an object that are not there yet
    recording.py  what ops report, and to which tapes
    tape.py       GradientTape: the list of what was computed
    walk.py       reverse-mode differentiation: the walk back along that list; Jacobians, row by row
    forward.py    derivatives along a direction, out of two walks back
    graph.py      derivatives of what a tf.function has computed so far
    custom.py     a function with a derivative of the user's own
    recompute.py  a function that runs again in the walk back
    tree.py       tensors in lists, tuples and dictionaries
    replicas.py   which replica runs: what tf.distribute tells the rooms below it
    check.py      derivatives against central differences
    finite.py     where a value that is not finite came from

Nothing here knows any op. `minitensor.ops` installs what is needed of them on Tensor (+, stack,
reshape), so that gradients are themselves made of ops and every order of derivative works.
"""

from minitensor.autograd.convert import align, as_tensor, first_tensor, to_device, to_device_of
from minitensor.autograd.custom import custom_gradient
from minitensor.autograd.primitive import Primitive, primitive
from minitensor.autograd.recompute import recompute_grad
from minitensor.autograd.tape import GradientTape, UnconnectedGradients
from minitensor.autograd.tensor import Tensor, TensorShape
from minitensor.autograd.variable import Variable

__all__ = [
    "GradientTape", "Primitive", "Tensor", "TensorShape", "UnconnectedGradients", "Variable",
    "align", "as_tensor", "custom_gradient", "first_tensor", "primitive",
    "recompute_grad", "to_device", "to_device_of",
]  # fmt: skip
