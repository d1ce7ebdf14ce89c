"""The mirror of tf.distribute: one program on several devices or processes."""
