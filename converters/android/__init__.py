"""A `.tflite` file as a model folder of the demo app; docs/android.md is the contract with the app."""
