"""Measures a `.tflite` file with the real interpreters; every number carries how it was got."""
