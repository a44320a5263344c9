"""The script that people write today: load a model, call TFLiteConverter. The yardstick of `conversion_cost.py`.

python benchmarks/bare_convert.py MODEL DATA.npy OUT.tflite
"""

import sys

import numpy as np
import tensorflow as tf

source, data, output = sys.argv[1:4]
samples = np.load(data)
if source.endswith(".h5"):
    import tf_keras

    converter = tf.lite.TFLiteConverter.from_keras_model(tf_keras.models.load_model(source))
else:
    import keras

    converter = tf.lite.TFLiteConverter.from_keras_model(keras.models.load_model(source))
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
with open(output, "wb") as stream:
    stream.write(converter.convert())
