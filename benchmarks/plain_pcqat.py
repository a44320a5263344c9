"""The peer that `deep` is compared with: TF-MOT's pruning, clustering and PCQAT as TensorFlow's guide chains them.

    result = compress("resnet8_jpeg.h5", task, training, batches=batches)
    result.flatbuffer, result.seconds

The guide: tensorflow.org/model_optimization/guide/combine/pcqat_example. From it come the calls, their order and the
pruning schedule; from the comparison come sparsity, clusters, data, epochs, learning rates (falling to 0 along a cosine
within each step), and integers at the file's input and output. Importing TF-MOT leaves TF_USE_LEGACY_KERAS in the
environment: run this in a process of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters.keras_models.bridge import to_tf_keras
from converters.keras_models.load import load
from converters.keras_models.safety import check
from tfcompress.task import Task

# One epoch of (inputs in the model's units, labels), for an epoch's number; epochs go on counting from step to step.
Batches = Callable[[int], Iterable[tuple[Any, Any]]]

CALIBRATION_SAMPLES = 200


@dataclass(frozen=True)
class Training:
    """How the three steps are done: pruning, clustering, quantization-aware training.

    Attributes:
        sparsity: share of zeros.
        clusters: values per kernel.
        epochs: of each step.
        learning_rates: of each step, at its start.
        batch_size: samples per batch.
        seed: of the weights that are drawn; the batches bring their own order.
    """

    sparsity: float
    clusters: int
    epochs: tuple[int, int, int]
    learning_rates: tuple[float, float, float]
    batch_size: int
    seed: int


@dataclass(frozen=True)
class PeerResult:
    """What came out.

    Attributes:
        flatbuffer: the int8 file.
        seconds: wall time from loading the model to the file's bytes.
        step_seconds: wall time of pruning, clustering, quantization-aware training and conversion.
    """

    flatbuffer: bytes
    seconds: float
    step_seconds: tuple[float, float, float, float]


def compress(model_path: str | Path, task: Task, training: Training, batches: Batches) -> PeerResult:
    """Prunes, clusters and quantizes a classifier that ends in a softmax.

    Args:
        model_path: file of a model of either Keras.
        task: training data with class numbers, one input.
        training: how.
        batches: training data by epoch, before augmentation, as many batches as the training split divides into.
    """
    import tensorflow_model_optimization as tfmot
    import tf_keras

    started = time.perf_counter()
    tf_keras.utils.set_random_seed(training.seed)
    fit = _Fit(task, training, batches)
    model = to_tf_keras(load(check(model_path)))
    marks = [time.perf_counter()]

    # The guide's, whose 100 steps may be more than an epoch here.
    frequency = min(100, fit.steps_per_epoch)
    schedule = tfmot.sparsity.keras.ConstantSparsity(training.sparsity, begin_step=0, frequency=frequency)
    model = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=schedule)
    fit(model, 0, [tfmot.sparsity.keras.UpdatePruningStep()])
    model = tfmot.sparsity.keras.strip_pruning(model)
    marks.append(time.perf_counter())

    model = _clustered(model, training.clusters)
    fit(model, 1)
    model = tfmot.clustering.keras.strip_clustering(model)
    marks.append(time.perf_counter())

    scheme = tfmot.experimental.combine.Default8BitClusterPreserveQuantizeScheme(preserve_sparsity=True)
    model = tfmot.quantization.keras.quantize_apply(tfmot.quantization.keras.quantize_annotate_model(model), scheme)
    fit(model, 2)
    marks.append(time.perf_counter())

    flatbuffer = _converted(model, task)
    marks.append(time.perf_counter())
    steps = np.diff(marks).tolist()
    return PeerResult(flatbuffer, marks[-1] - started, (steps[0], steps[1], steps[2], steps[3]))


class _Fit:
    """Trains a step's model on its share of the epochs."""

    def __init__(self, task: Task, training: Training, batches: Batches):
        self._task = task
        self._training = training
        self._batches = batches
        self.steps_per_epoch = -(-task.count("train") // training.batch_size)

    def __call__(self, model: Any, step: int, callbacks: Iterable[Any] = ()) -> None:
        import tf_keras

        first, count = sum(self._training.epochs[:step]), self._training.epochs[step]
        start, steps = self._training.learning_rates[step], max(count * self.steps_per_epoch, 1)
        rate = tf_keras.optimizers.schedules.CosineDecay(start, steps)
        loss = self._task.loss or "sparse_categorical_crossentropy"
        model.compile(tf_keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
        if count:
            data = self._dataset(range(first, first + count))
            model.fit(data, epochs=count, steps_per_epoch=self.steps_per_epoch, callbacks=[*callbacks], verbose=2)

    def _dataset(self, epochs: range) -> Any:
        import tensorflow as tf

        first_x, first_y = next(iter(self._task.batches("train", 1)))
        # Labels of any number type: their own would differ between a task and a caller's stream.
        signature = (tf.TensorSpec((None, *first_x.shape[1:])), tf.TensorSpec((None, *first_y.shape[1:]), tf.int64))
        data = tf.data.Dataset.from_generator(lambda: self._stream(epochs), output_signature=signature)
        if self._task.augment is not None:
            data = data.map(lambda x, y: (self._task.augment(x), y))
        return data.prefetch(2)

    def _stream(self, epochs: range) -> Iterator[tuple[Any, Any]]:
        for epoch in epochs:
            yield from self._batches(epoch)


def _clustered(model: Any, clusters: int) -> Any:
    import tensorflow_model_optimization as tfmot

    # Sparsity is preserved by the experimental function only; the documented one lacks the option.
    from tensorflow_model_optimization.python.core.clustering.keras.experimental import cluster

    return cluster.cluster_weights(
        model,
        number_of_clusters=clusters,
        cluster_centroids_init=tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS,
        preserve_sparsity=True,
    )


def _converted(model: Any, task: Task) -> bytes:
    import tensorflow as tf

    samples = task.calibration_samples(CALIBRATION_SAMPLES)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
    converter.inference_input_type = converter.inference_output_type = tf.int8
    flatbuffer: bytes = converter.convert()
    return flatbuffer
