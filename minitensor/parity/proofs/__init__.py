"""Independent proofs: ops spelled out of simpler tf ops, to decide who is right.

Every function takes the library as its first argument and the public op's own arguments after it,
without types, because the tensors are of that library. It uses none of the kernels it is asked
about, so it can be differentiated to any order in any dtype. They speak where TensorFlow has no
answer, or a wrong one; `ops.py` says which op has one.
"""
