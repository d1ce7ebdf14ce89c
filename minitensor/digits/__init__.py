"""The first whole job: a small convolutional net learns to read handwriting.

network.py    LeNet-5 of `minitensor.models`: how it starts, is trained, and is asked
weights.py    the trained net as a safetensors file, written and strictly read
figures.py    the curve of the training and the filters it found, as PNG files
command.py    `minitensor train`, and which images it reads
evaluate.py   `minitensor evaluate`

Among the examples is the same network from functions and variables alone, its training written out.
"""
