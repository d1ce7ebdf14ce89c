"""The first whole job: a small convolutional net learns to read handwriting.

model.py      LeNet-5 as the course modifies it, from functions of minitensor.nn
optimizer.py  Adam
loop.py       epochs, batches, accuracy
weights.py    the trained net as a safetensors file, written and strictly read
figures.py    the curve of the training and the filters it found, as PNG files
command.py    `minitensor train`
evaluate.py   `minitensor evaluate`
inputs.py     which images both read
"""
