"""`minitensor run`: a TensorFlow program, unchanged, on this engine.

mirror.py     the modules that answer to `tensorflow`, and what they say of a name that is not there
command.py    the verb
"""
