"""The parity ledger: every function beside TensorFlow's, in values, gradients and second order.

    case.py, cases/      the table: each call as pure data
    driver.py            the one recipe that both sides follow; adapters.py: calls with no one name
    oracle.py            TensorFlow in processes of its own (reference.py), asked along routes
    answers.py           what travels to it and back, and lies in a file where it is not installed
    proofs/              independent computations that decide where TensorFlow does not
    bounds.py            how far apart two right answers may be; which bound for which op: ops.py
    ledger.py            one verdict per call, dtype and order
    known_tf_bugs.py     what is the matter where TensorFlow is wrong
    command.py           `minitensor parity`; tables.py shows the ledger

An op that TensorFlow has is a row of `cases/`: `call("nn.relu", (3, 4))`, and for a proof, another
family of rounding or another name a row of `ops.py`. One that it has not is a row of `cases/` with
`composition=`, a function that spells it out of simpler ops; its verdict is "ours alone".
`minitensor new op NAME` writes a file of `cases/`, which no list needs to name.

Only reference.py imports tensorflow. Error messages are not compared here: see tests/.
"""
