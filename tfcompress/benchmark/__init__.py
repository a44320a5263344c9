"""A `.tflite` file's numbers, each with its unit, how it was got, and what ran it; one file = one kind of number."""
