from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from converters import calibration
from converters.calibration.histogram import Histogram, mse_range
from converters.errors import ConversionError, DataError, UsageError
from converters.spec import InputSpec

SHAPE = (8, 8, 4)


@pytest.fixture(scope="module")
def tf() -> Any:
    return pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def float_model(tf: Any) -> bytes:
    """Input -> 1x1 convolution -> two branches and the tensors that share a scale -> dense -> softmax."""
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    layers = tf_keras.layers
    start = layers.Input(SHAPE)
    first = layers.Conv2D(4, 1, activation="relu")(start)
    second = layers.Conv2D(4, 1, activation="tanh")(first)
    pooled = layers.UpSampling2D(interpolation="bilinear")(layers.MaxPooling2D()(layers.Conv2D(4, 1)(first)))
    joined = layers.ZeroPadding2D()(layers.Concatenate()([first, second, pooled]))
    flat = layers.Flatten()(layers.Reshape((100, 12))(joined))
    model = tf_keras.Model(start, layers.Dense(3, activation="softmax")(flat))
    function = tf.function(lambda x: model(x)).get_concrete_function(tf.TensorSpec((1, *SHAPE), tf.float32))
    data: bytes = tf.lite.TFLiteConverter.from_concrete_functions([function], None).convert()
    return data


@pytest.fixture(scope="module")
def skewed() -> np.ndarray:
    """Long-tailed, mostly positive, with exact zeros: 120 x 256 values."""
    random = np.random.default_rng(7)
    values = random.gamma(0.7, 2.0, (120, *SHAPE)) - 0.4 * random.random((120, *SHAPE))
    values[random.random(values.shape) < 0.2] = 0.0
    return values.astype(np.float32)


def quantized(tf: Any, float_model: bytes, ranges: dict[str, tuple[float, float]]) -> Any:
    from tensorflow.lite.python.convert import mlir_quantize

    data = mlir_quantize(
        calibration.apply_ranges(float_model, ranges), input_data_type=tf.int8, output_data_type=tf.int8
    )
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data)).subgraphs[0]


def scale(graph: Any, index: int) -> tuple[float, int]:
    quantization = graph.tensors[index].quantization
    return float(quantization.scale[0]), int(quantization.zeroPoint[0])


def range_of_input(float_model: bytes, samples: np.ndarray, **options: Any) -> tuple[float, float]:
    ranges = calibration.collect(float_model, {"x": samples}, **options)
    return ranges["x"]


# --- ranges equal their definitions, computed from the raw values -----------------------------------------------


def bin_width(values: np.ndarray) -> float:
    return float(2.0 ** np.ceil(np.log2((values.max() - min(values.min(), 0)) / 8191)))


def test_minmax_is_exact_for_every_activation_and_equals_litert_run_op_by_op(
    float_model: bytes, skewed: np.ndarray
) -> None:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    ranges = calibration.collect(float_model, {"x": skewed})
    interpreter = Interpreter(
        model_content=float_model,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    details = {d["name"]: d["index"] for d in interpreter.get_tensor_details() if d["name"] in ranges}
    seen: dict[str, list[float]] = {name: [0.0, 0.0] for name in details}
    for sample in skewed:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample[None])
        interpreter.invoke()
        for name, index in details.items():
            values = interpreter.get_tensor(index)
            seen[name] = [min(seen[name][0], values.min()), max(seen[name][1], values.max())]
    assert len(ranges) == 12
    assert ranges["x"] == (skewed.min(), skewed.max())
    for name, (low, high) in ranges.items():
        np.testing.assert_allclose((low, high), seen[name], rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("percentile", [90.0, 99.0, 99.9, 99.99, 100.0])
def test_percentile_equals_numpy_within_a_bin(float_model: bytes, skewed: np.ndarray, percentile: float) -> None:
    low, high = range_of_input(float_model, skewed, method="percentile", percentile=percentile)
    cut = (100 - percentile) / 200
    expected = np.quantile(skewed.astype(np.float64), [cut, 1 - cut], method="inverted_cdf")
    np.testing.assert_allclose((low, high), expected, atol=1.01 * bin_width(skewed))


def expected_squared_error(values: np.ndarray, low: float, high: float, bits: int) -> float:
    inside = (values >= low) & (values <= high) & (values != 0)
    step = (high - low) / (2**bits - 1)
    clipped = np.maximum(values - high, 0) + np.maximum(low - values, 0)
    return float(step**2 / 12 * np.count_nonzero(inside) + np.sum(clipped**2))


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_mse_minimises_rounding_and_clipping_error_over_all_ranges(
    float_model: bytes, skewed: np.ndarray, bits: int
) -> None:
    values, width = skewed.astype(np.float64).ravel(), bin_width(skewed)
    low, high = range_of_input(float_model, skewed, method="mse", bits=bits)
    highs = np.arange(1, np.ceil(values.max() / width) + 1) * width
    best_high = highs[np.argmin([expected_squared_error(values, low, h, bits) for h in highs])]
    lows = -np.arange(0, np.ceil(-values.min() / width) + 1) * width
    best_low = lows[np.argmin([expected_squared_error(values, l, high, bits) for l in lows])]  # noqa: E741
    assert abs(low - best_low) <= 1.01 * width
    assert abs(high - best_high) <= 1.01 * width
    grid = [(l, h) for l in lows[:: max(1, len(lows) // 8)] for h in highs[:: len(highs) // 60]]  # noqa: E741
    best = min(expected_squared_error(values, l, h, bits) for l, h in grid)  # noqa: E741
    assert expected_squared_error(values, low, high, bits) <= best * 1.001


def test_mse_range_beats_minmax_when_really_quantized(skewed: np.ndarray) -> None:
    def real_error(low: float, high: float, bits: int) -> float:
        step = (high - low) / (2**bits - 1)
        zero = np.round(-low / step)
        codes = np.clip(np.round(skewed / step) + zero, 0, 2**bits - 1)
        return float(np.mean(((codes - zero) * step - skewed) ** 2))

    histogram = Histogram()
    histogram.add(skewed.ravel(), float(skewed.min()), float(skewed.max()))
    low, high = mse_range(histogram, 4)
    assert real_error(low, high, 4) < 0.65 * real_error(float(skewed.min()), float(skewed.max()), 4)


def reference_divergence(values: np.ndarray, width: float, levels: int, threshold: int) -> float:
    """Of Migacz 2017, from the raw values: P is clipped, Q is what `levels` levels keep of it."""
    numbers = np.arange(max(np.floor(values.min() / width), -threshold), threshold + 1)
    inside, _ = np.histogram(values, numbers * width)
    p = inside.astype(float)
    p[0] += np.count_nonzero(values < numbers[0] * width)
    p[-1] += np.count_nonzero(values >= numbers[-1] * width)
    q = np.zeros_like(p)
    level = np.arange(len(p)) * levels // len(p)
    for number in range(levels):
        filled = np.flatnonzero((level == number) & (inside > 0))
        q[filled] = inside[level == number].sum() / max(len(filled), 1)
    q[(q == 0) & (p > 0)] = 0.5
    p, q = p / p.sum(), q / q.sum()
    return float(sum(a * np.log(a / b) for a, b in zip(p, q, strict=True) if a > 0))


def test_entropy_is_the_threshold_of_least_divergence(float_model: bytes, skewed: np.ndarray) -> None:
    low, high = range_of_input(float_model, skewed, method="entropy")
    values, width = skewed[skewed != 0].astype(np.float64), bin_width(skewed)
    chosen, most = round(high / width), int(np.ceil(values.max() / width))
    assert low == values.min()
    assert high < values.max()
    others = np.unique(np.geomspace(300, most, 40).round().astype(int))
    least = min(reference_divergence(values, width, 256, int(threshold)) for threshold in others)
    assert reference_divergence(values, width, 256, chosen) <= least * 1.001


def test_sixteen_bits_gain_nothing_from_entropy(float_model: bytes, skewed: np.ndarray) -> None:
    assert range_of_input(float_model, skewed, method="entropy", bits=16) == (skewed.min(), skewed.max())


@pytest.mark.parametrize("method", calibration.METHODS)
def test_every_range_holds_zero_and_no_more_than_was_seen(float_model: bytes, skewed: np.ndarray, method: str) -> None:
    widest = calibration.collect(float_model, {"x": skewed})
    for name, (low, high) in calibration.collect(float_model, {"x": skewed}, method=method).items():
        assert widest[name][0] <= low <= 0 <= high <= widest[name][1], name
        assert low < high, name


@pytest.mark.parametrize("method", calibration.METHODS)
def test_a_tensor_of_zeros_gets_the_documented_range(float_model: bytes, method: str) -> None:
    assert range_of_input(float_model, np.zeros((9, *SHAPE), np.float32), method=method) == (0.0, 1.0)


def test_calibration_gives_the_same_ranges_every_time(float_model: bytes, skewed: np.ndarray) -> None:
    once = calibration.collect(float_model, {"x": skewed[:20]}, method="mse")
    assert once == calibration.collect(float_model, {"x": skewed[:20]}, method="mse")


# --- the quantized file -----------------------------------------------------------------------------------------


def test_an_outlier_widens_minmax_but_not_percentile_and_entropy_in_the_file(
    tf: Any, float_model: bytes, skewed: np.ndarray
) -> None:
    normal = np.random.default_rng(3).normal(size=skewed.shape).astype(np.float32)
    normal[5, 2, 2, 1] = 300.0
    scales = {}
    for method in calibration.METHODS:
        graph = quantized(tf, float_model, calibration.collect(float_model, {"x": normal}, method=method))
        scales[method] = scale(graph, graph.inputs[0])[0]
    assert scales["minmax"] == pytest.approx((300 - normal.min()) / 255, rel=1e-3)
    assert scales["percentile"] < scales["minmax"] / 20
    assert scales["entropy"] < scales["minmax"] / 10


def test_tensors_that_must_share_a_scale_do_so_under_unequal_ranges(
    tf: Any, float_model: bytes, skewed: np.ndarray
) -> None:
    random = np.random.default_rng(0)
    measured = calibration.collect(float_model, {"x": skewed[:10]})
    ranges = {
        name: (low * random.uniform(0.3, 1), high * random.uniform(0.3, 1)) for name, (low, high) in measured.items()
    }
    graph = quantized(tf, float_model, ranges)
    shared = {
        schema.BuiltinOperator.CONCATENATION, schema.BuiltinOperator.MAX_POOL_2D, schema.BuiltinOperator.PAD,
        schema.BuiltinOperator.RESHAPE, schema.BuiltinOperator.RESIZE_BILINEAR,
    }  # fmt: skip
    model_codes = _operator_codes(tf, float_model, ranges)
    checked = set()
    for operator, code in zip(graph.operators, model_codes, strict=True):
        if code in shared:
            checked.add(code)
            tensors = [int(i) for i in [*operator.inputs, *operator.outputs]]
            int8 = [i for i in tensors if graph.tensors[i].type == schema.TensorType.INT8]
            assert len({scale(graph, i) for i in int8}) == 1, code
    assert checked == shared


def _operator_codes(tf: Any, float_model: bytes, ranges: dict[str, tuple[float, float]]) -> list[int]:
    from tensorflow.lite.python.convert import mlir_quantize

    data = mlir_quantize(
        calibration.apply_ranges(float_model, ranges), input_data_type=tf.int8, output_data_type=tf.int8
    )
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data))
    return [model.operatorCodes[operator.opcodeIndex].builtinCode for operator in model.subgraphs[0].operators]


def test_applied_ranges_can_be_read_back_and_change_nothing_else(float_model: bytes, skewed: np.ndarray) -> None:
    ranges = calibration.collect(float_model, {"x": skewed[:4]})
    calibrated = calibration.apply_ranges(float_model, ranges)
    graph = schema.ModelT.InitFromObj(schema.Model.GetRootAs(calibrated)).subgraphs[0]
    read = {
        tensor.name.decode(): (tensor.quantization.min[0], tensor.quantization.max[0])
        for tensor in graph.tensors
        if tensor.quantization is not None and tensor.quantization.min is not None
    }
    assert read == ranges
    assert calibration.collect(calibrated, {"x": skewed[:4]}) == ranges


# --- refusals of collect and apply_ranges -----------------------------------------------------------------------


def test_a_model_that_overflows_is_named_with_tensor_and_sample(float_model: bytes) -> None:
    samples = np.ones((10, *SHAPE), np.float32)
    samples[6] = 3e38
    for method in calibration.METHODS:
        with pytest.raises(DataError, match=r"infinity in tensor .+ for calibration sample 6"):
            calibration.collect(float_model, {"x": samples}, method=method)


def test_wrong_use_is_refused_in_one_line(float_model: bytes, skewed: np.ndarray) -> None:
    with pytest.raises(UsageError, match="expected one of minmax, percentile, mse, entropy"):
        calibration.collect(float_model, {"x": skewed}, method="best")
    with pytest.raises(UsageError, match="percentile is 0.9; expected 50 to 100"):
        calibration.collect(float_model, {"x": skewed}, method="percentile", percentile=0.9)
    with pytest.raises(DataError, match="samples for 2 inputs, the float file has 1"):
        calibration.collect(float_model, {"x": skewed, "z": skewed})
    with pytest.raises(ConversionError, match="tensor nowhere, which the float file has not"):
        calibration.apply_ranges(float_model, {"nowhere": (0.0, 1.0)})
    with pytest.raises(ConversionError, match=r"range of tensor x is 1\.\.2"):
        calibration.apply_ranges(float_model, {"x": (1.0, 2.0)})


# --- data in the forms that people have it ----------------------------------------------------------------------

IMAGE = [InputSpec("image", (4, 4, 3), "float32")]
GRAY = [InputSpec("image", (4, 5, 1), "float32")]
TWO = [InputSpec("image", (4, 4, 3), "float32"), InputSpec("age", (1,), "float32")]
WORDS = [InputSpec("words", (6,), "int32")]
IMAGES = np.random.default_rng(0).random((12, 4, 4, 3)).astype(np.float32)
AGES = np.arange(12, dtype=np.float32).reshape(12, 1)


class Iterable:
    def __iter__(self) -> Any:
        return iter(IMAGES)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(IMAGES, id="array"),
        pytest.param({"image": IMAGES}, id="dict"),
        pytest.param([IMAGES], id="list of one array"),
        pytest.param((IMAGES,), id="tuple of one array"),
        pytest.param(list(IMAGES), id="list of samples"),
        pytest.param([sample[None] for sample in IMAGES], id="list of samples with batch axis"),
        pytest.param(lambda: ([sample[None]] for sample in IMAGES), id="representative dataset"),
        pytest.param(lambda: ({"image": sample[None]} for sample in IMAGES), id="representative dataset of dicts"),
        pytest.param([IMAGES[:8], IMAGES[8:]], id="batches"),
        pytest.param(Iterable(), id="iterable object"),
        pytest.param(IMAGES.astype(np.float64), id="float64"),
        pytest.param(IMAGES[:, None], id="extra batch axis"),
        pytest.param(IMAGES.tolist(), id="nested lists"),
    ],
)
def test_every_form_of_data_becomes_the_same_array(data: Any) -> None:
    checked = calibration.check(data, IMAGE)
    assert list(checked) == ["image"]
    assert checked["image"].dtype == np.float32
    np.testing.assert_array_equal(checked["image"], IMAGES)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param([IMAGES, AGES], id="list in order"),
        pytest.param({"age": AGES, "image": IMAGES}, id="dict in another order"),
        pytest.param(([image, age] for image, age in zip(IMAGES, AGES, strict=True)), id="samples as lists"),
        pytest.param(({"age": a, "image": i} for i, a in zip(IMAGES, AGES, strict=True)), id="samples as dicts"),
    ],
)
def test_two_inputs_come_back_in_the_models_order(data: Any) -> None:
    checked = calibration.check(data, TWO)
    assert list(checked) == ["image", "age"]
    np.testing.assert_array_equal(checked["image"], IMAGES)
    np.testing.assert_array_equal(checked["age"], AGES)


def test_a_tensorflow_dataset_is_read(tf: Any) -> None:
    dataset = tf.data.Dataset.from_tensor_slices(IMAGES)
    np.testing.assert_array_equal(calibration.check(dataset.batch(5), IMAGE)["image"], IMAGES)
    np.testing.assert_array_equal(calibration.check(dataset, IMAGE)["image"], IMAGES)


def test_float32_data_is_not_copied() -> None:
    assert calibration.check(IMAGES, IMAGE)["image"] is IMAGES


def test_an_endless_generator_is_read_in_part_and_said_so() -> None:
    def endless() -> Any:
        while True:
            yield from AGES

    notes: list[str] = []
    checked = calibration.check(endless, [InputSpec("age", (1,), "float32")], notes=notes)
    assert len(checked["age"]) == 10_000
    assert "read the first 10,000 calibration samples" in notes[0]


def test_integer_images_are_taken_as_they_are_and_said_so() -> None:
    notes: list[str] = []
    bytes_ = (IMAGES * 255).astype(np.uint8)
    checked = calibration.check(bytes_, IMAGE, notes=notes)
    assert checked["image"].dtype == np.float32
    np.testing.assert_array_equal(checked["image"], bytes_)
    assert "uint8" in notes[0] and "as they are" in notes[0]


def test_few_samples_are_used_but_noted() -> None:
    notes: list[str] = []
    assert len(calibration.check(IMAGES[:3], IMAGE, notes=notes)["image"]) == 3
    assert notes == ["only 3 calibration samples: ranges will be narrow; 100 from the training data is usual"]
    assert len(calibration.check(IMAGES[0], IMAGE, notes=notes)["image"]) == 1


def test_good_data_makes_no_notes() -> None:
    notes: list[str] = []
    calibration.check(IMAGES, IMAGE, notes=notes)
    assert not notes


def with_value(value: float) -> np.ndarray:
    images = IMAGES.copy()
    images[7, 1, 2, 0] = value
    return images


BAD = [
    ("a path", "train.npz", IMAGE, r"calibration data is str 'train.npz'; .*tfcompress.task.load"),
    ("nothing", None, IMAGE, "calibration data is NoneType; expected an array"),
    ("a number", 3, IMAGE, "calibration data is int"),
    (
        "unknown name",
        {"picture": IMAGES},
        IMAGE,
        "unknown input picture and lacks the input image; the model's inputs are",
    ),
    ("missing name", {"image": IMAGES}, TWO, "lacks the input age; the model's inputs are image, age"),
    ("one array for two", IMAGES, TWO, "is one array, the model has 2 inputs .image, age.; give a dict"),
    ("unequal counts", [IMAGES, AGES[:5]], TWO, "image: 12, age: 5"),
    ("no channel axis", np.ones((9, 4, 5)), GRAY, r"shape \(9, 4, 5\), expected \(n, 4, 5, 1\); .* x\[\.\.\., None\]"),
    ("channels first", np.ones((9, 3, 4, 4)), IMAGE, r"channels come first: np.moveaxis\(x, -3, -1\)"),
    ("flattened", np.ones((9, 48)), IMAGE, r"x.reshape\(-1, 4, 4, 3\)"),
    ("gray for colour", np.ones((9, 4, 4, 1)), IMAGE, r"np.repeat\(x, 3, axis=-1\)"),
    ("four channels", np.ones((9, 4, 4, 4)), IMAGE, "last axis has 4 channels, the model takes 3"),
    ("wrong size", np.ones((9, 8, 8, 3)), IMAGE, "resize the images to 4x4"),
    ("two axes too many", np.ones((2, 5, 4, 4, 3)), IMAGE, "one axis too many in front"),
    ("wrong sample", [np.ones((4, 4, 3)), np.ones((4, 5, 3))], IMAGE, r"sample 1 has shape \(4, 5, 3\)"),
    (
        "labels beside",
        [(i, 1) for i in IMAGES],
        IMAGE,
        r"sample 0 has 2 values, the model has 1 inputs .*lambda x, y: x",
    ),
    ("array samples for two", list(IMAGES), TWO, "sample 0 is ndarray, the model has 2 inputs"),
    ("strings", np.array([["a"] * 48]), IMAGE, "has type <U1, the model's input image takes float32"),
    ("objects", np.array([None] * 9), IMAGE, "has type object"),
    ("complex", IMAGES.astype(np.complex64), IMAGE, "has type complex64"),
    ("ragged", [[1.0, [2.0]], [3.0]], IMAGE, "sample 0"),
    ("no samples", IMAGES[:0], IMAGE, "has 0 samples; expected 100 or so"),
    ("empty generator", iter(()), IMAGE, "yields no samples"),
    ("empty list", [], IMAGE, "yields no samples"),
    ("NaN", with_value(np.nan), IMAGE, "input image holds NaN in sample 7"),
    ("infinity", with_value(-np.inf), IMAGE, "holds an infinite value .* in sample 7"),
    ("beyond float32", with_value(1).astype(np.float64) * 1e300, IMAGE, "holds an infinite value .*beyond float32"),
    ("all zero", np.zeros((9, 4, 4, 3), np.float32), IMAGE, r"is all zero \(9 samples\)"),
    ("always the same", np.repeat(IMAGES[:1], 9, 0), IMAGE, r"is the same in every sample \(9 samples\)"),
    ("fractions", np.full((9, 6), 0.5), WORDS, "has type float64 and fractions, the model takes int32"),
    ("too large", np.full((9, 6), 1 << 40), WORDS, "reaches from 1099511627776 to 1099511627776"),
]


@pytest.mark.parametrize(("data", "inputs", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_data_that_cannot_be_meant_is_refused_in_one_line(data: Any, inputs: list[InputSpec], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        calibration.check(data, inputs)
    assert "\n" not in str(caught.value)


def test_whole_numbers_in_floats_serve_an_integer_input() -> None:
    checked = calibration.check(np.arange(54.0).reshape(9, 6), WORDS)
    assert checked["words"].dtype == np.int32


def test_a_constant_second_input_is_a_note_not_an_error() -> None:
    notes: list[str] = []
    calibration.check([IMAGES, np.ones_like(AGES)], TWO, notes=notes)
    assert "input age is the same in every sample" in notes[0]


def test_constant_data_passes_when_it_is_meant() -> None:
    calibration.check(np.zeros((9, 4, 4, 3)), IMAGE, allow_unusual=True)


def test_another_scale_than_the_training_data_is_refused() -> None:
    hint = {"image": (0.0, 255.0)}
    with pytest.raises(DataError, match=r"reaches from .* to 0.99.*, the training data from 0 to 255: another scale"):
        calibration.check(IMAGES, IMAGE, scale_hint=hint)
    calibration.check(IMAGES * 200, IMAGE, scale_hint=hint)
    notes: list[str] = []
    calibration.check(IMAGES, IMAGE, scale_hint=hint, allow_unusual=True, notes=notes)
    assert "another scale" in notes[0]


# --- what the model remembers of its training data ---------------------------------------------------------------


def frozen(model: Any) -> Any:
    from converters.keras_models.tracing import freeze_keras

    return freeze_keras(model, unroll=False)


def small_model(keras: Any, *first: Any, plain: bool = False) -> Any:
    layers = keras.layers
    normalization = layers.BatchNormalization(scale=not plain, center=not plain)
    return keras.Sequential([
        layers.Input((12, 12, 3)), *first,
        layers.Conv2D(8, 3, use_bias=False), normalization, layers.ReLU(), layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip


def smooth_images() -> np.ndarray:
    random = np.random.default_rng(5)
    coarse = random.uniform(0, 255, (48, 4, 4, 3))
    return np.kron(coarse, np.ones((3, 3, 1))).astype(np.float32)


@pytest.fixture(scope="module", params=["keras", "tf_keras"])
def keras_of_either_kind(request: pytest.FixtureRequest, tf: Any) -> Any:
    return pytest.importorskip(request.param)


def remember(model: Any, images: np.ndarray, *, steps: int, momentum: float) -> None:
    """Gives the first batch normalization the moving statistics of `steps` steps on `images`."""
    convolution, normalization = (layer for layer in model.layers if layer.name.startswith(("conv2d", "batch")))
    values = np.asarray(convolution(images)).reshape(-1, 8)
    kept = momentum**steps
    normalization.moving_mean.assign((1 - kept) * values.mean(axis=0))
    normalization.moving_variance.assign(kept + (1 - kept) * values.var(axis=0))


@pytest.mark.parametrize("right", ["0..255", "0..1", "-1..1"])
def test_a_trained_model_refuses_another_scale(keras_of_either_kind: Any, right: str) -> None:
    scaled = {"0..255": smooth_images(), "0..1": smooth_images() / 255, "-1..1": smooth_images() / 127.5 - 1}
    model = small_model(keras_of_either_kind, plain=right == "0..1")
    remember(model, scaled[right], steps=1000, momentum=0.99)
    graph = frozen(model)
    notes: list[str] = []
    calibration.check_range(graph, {"x": scaled[right]}, notes=notes)
    assert not notes
    for name in set(scaled) - {right}:
        if "0..255" in (right, name):  # 0..1 and -1..1 differ by a factor of two only: nothing is certain
            with pytest.raises(DataError, match="on another scale than the training data: before layer batch"):
                calibration.check_range(graph, {"x": scaled[name]})
            calibration.check_range(graph, {"x": scaled[name]}, allow_unusual=True, notes=notes)
            assert "another scale" in notes.pop()


def test_an_untrained_model_accepts_every_scale(keras_of_either_kind: Any) -> None:
    graph = frozen(small_model(keras_of_either_kind))
    notes: list[str] = []
    for factor in (1e-6, 1 / 255, 1.0, 255.0):
        calibration.check_range(graph, {"x": smooth_images() * factor}, notes=notes)
    assert not notes


@pytest.mark.parametrize("scale", [1e-3, 1 / 255, 1.0])
def test_a_model_trained_for_any_number_of_steps_accepts_its_own_data(tf: Any, scale: float) -> None:
    import tf_keras

    images = smooth_images() * np.float32(scale)
    model = small_model(tf_keras)
    for steps in (1, 100, 1500, 5000):
        remember(model, images, steps=steps, momentum=0.999)
        calibration.check_range(frozen(model), {"x": images})


def test_a_models_own_rescaling_is_noticed(keras_of_either_kind: Any) -> None:
    layers = keras_of_either_kind.layers
    for rescaling in (layers.Rescaling(1 / 255), layers.Rescaling(1 / 127.5, -1)):
        graph = frozen(small_model(keras_of_either_kind, rescaling))
        notes: list[str] = []
        calibration.check_range(graph, {"x": smooth_images()}, notes=notes)
        assert not notes
        with pytest.raises(
            DataError, match=r"reaches from .* to .*, but the model itself starts by multiplying by 0.00"
        ):
            calibration.check_range(graph, {"x": smooth_images() / 255})


def test_real_models_refuse_wrongly_scaled_real_data(tf: Any, real_data: Path) -> None:
    import tf_keras

    model = tf_keras.models.load_model(real_data / "mlperf_tiny/ic/pretrainedResnet.h5", compile=False)
    images = np.load(real_data / "cifar10/cifar10_test_lossless500.npz")["x"][:100].astype(np.float32)
    graph = frozen(model)
    notes: list[str] = []
    calibration.check_range(graph, {"x": images}, notes=notes)
    assert not notes
    for wrong in (images / 255, images / 127.5 - 1, (images - images.mean()) / images.std()):
        with pytest.raises(DataError, match="times less than in training"):
            calibration.check_range(graph, {"x": wrong})


def test_raw_keyword_bytes_are_noted_and_real_units_are_not(tf: Any, real_data: Path) -> None:
    import tf_keras

    graph = frozen(tf_keras.models.load_model(real_data / "mlperf_tiny/kws/kws_ref_model", compile=False))
    raw = np.load(real_data / "mlperf_tiny/kws/kws01_test_inputs_int8.npz")["x"][:100].astype(np.float32)
    notes: list[str] = []
    calibration.check_range(graph, {"x": (raw - 83) * np.float32(0.5847029)}, notes=notes)
    assert not notes
    calibration.check_range(graph, {"x": raw}, notes=notes)
    assert "may not be scaled as the training data" in notes[0]
