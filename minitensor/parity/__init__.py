"""The parity ledger: every function beside TensorFlow's, in values, gradients and second order.

    case.py, cases/      the table: each call as pure data
    driver.py            the one recipe that both sides follow; adapters.py: calls with no one name
    oracle.py            TensorFlow in processes of its own (reference.py), asked along routes;
                         what travels to it and back: answers.py
    proofs/              independent computations that decide where TensorFlow does not
    bounds.py            how far apart two right answers may be; which bound for which op: ops.py
    ledger.py            one verdict per call, dtype and order; faults.py names what is wrong
    recorded.py          TensorFlow's answers in a file, for where it is not installed
    command.py           `minitensor parity`; sheets.py and report.py show the ledger

Only reference.py imports tensorflow. Error messages are not compared here: see tests/.
"""
