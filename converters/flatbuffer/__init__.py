"""A `.tflite` file understood: checked views of its operators, tensors and Keras layers, and where its bytes go."""

from converters.flatbuffer.file import FlatBuffer, Graph, Operator, Signature, Tensor
from converters.flatbuffer.layer_names import layer_of

__all__ = ["FlatBuffer", "Graph", "Operator", "Signature", "Tensor", "layer_of"]
