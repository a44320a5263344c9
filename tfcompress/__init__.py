"""Makes Keras models small and fast for TFLite on microcontrollers and phones, and proves it."""
