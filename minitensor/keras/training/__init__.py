"""Training of models: what `Model` has beside its layers.

trainer.py           fit, evaluate, predict
loop.py              which hook comes when, Ctrl-C between steps
steps.py             one batch: train_step, train_on_batch and the like
replicated.py        a step on all replicas of a strategy
compiling.py         compile, the loss and the metrics of a model
compiled_loss.py     a loss for each output
compiled_metrics.py  metrics for each output, and their names
outputs.py           which target belongs to which output
batches.py           arrays, datasets and generators as batches
epoch_iterator.py    batches of one epoch after the other
fit_state.py         what one fit holds, and how far it has come, for exact resume
finite.py            which op gave the first NaN
"""
