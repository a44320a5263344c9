"""The library call on a model that is in memory already; measured beside the command line by `conversion_cost.py`.

python benchmarks/library_convert.py MODEL DATA.npy OUT.tflite
"""

import sys

import numpy as np

import tfcompress

source, data, output = sys.argv[1:4]
if source.endswith(".h5"):
    import tf_keras as keras
else:
    import keras
model = keras.models.load_model(source)
samples = np.load(data)
tfcompress.convert(model, samples).flatbuffer.save(output, force=True)
