"""Readers of the formats that DATA may have, one per file.

Each returns arrays under the keys of an `.npz` (`x`, `y`, `x_train`, `y_train`, ..., `classes`), whatever the format;
`tfcompress.task` makes a Task of them.
"""
