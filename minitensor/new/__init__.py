"""`minitensor new`: the skeletons of an op or a kernel, written into the rooms where they belong.

    command.py   the command: checks the name, writes, says what comes next
    checkout.py  the folder that is written to, and how a file gets a line more
    op.py  kernel.py    the texts, and which files they go to

A skeleton can be imported and is not finished: each place to fill in says TODO or raises
NotImplementedError, and the tests that every op and kernel must pass repeat those words.
"""
