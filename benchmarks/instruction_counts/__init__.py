"""Instructions of TFLM's kernels, counted on emulated processors; see `__main__`."""
