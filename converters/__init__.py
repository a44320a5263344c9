"""The back half: a Keras model in, verified `.tflite` bytes out, and the bytes understood. Usable alone."""
