"""What an op does, and what a kernel does, seen from outside.

Which numbers make a number (every op that slides a window, and the normalisations):

    trace.py        the index map of a Window; sums of products with addresses
    windowed.py     the sums of convolutions, pools, patches, and their gradients
    normalised.py   those of normalisations and of softmax cross entropy
    composed.py     ops that tf.nn has under no name of its own
    ops.py          the table: how an op's own arguments become its map

Which thread of a kernel computes what (`minitensor kernel`):

    launch_cases.py how each kernel comes to be launched
    watch.py        runs that on the emulator and writes down every access
    report.py       prints one launch
    kernel.py       the command
"""
