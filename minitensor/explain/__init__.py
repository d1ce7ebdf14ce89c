"""What a kernel does, seen from outside: which thread computes what, from which loads.

`launch_cases` says how each kernel comes to be launched, `watch` runs that on the emulator and
writes down every access, `kernel` prints what was seen.
"""
