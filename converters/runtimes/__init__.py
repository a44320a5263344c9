"""The interpreters that run a `.tflite` file, always in a child process."""
