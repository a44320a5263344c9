"""Training with the integers of the file in mind: where they are rounded, with which steps, and a model that does it.

`placement` finds which layers are rounded where and which are skipped, `wrapping` makes a model that rounds as the file
will, on TF-MOT's wrappers, `simulation` makes that model again from a finished `CompressedModel`.
"""
