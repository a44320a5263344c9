"""Names that the configuration of a model file may use: what Keras itself ships and that only computes.

A name that is not here is refused by `configuration`. Left out on purpose, because they run code or open files:
Lambda, TFSMLayer, TorchModuleWrapper, JaxLayer, FlaxLayer, the operations that take a function (Map, Scan, Cond,
WhileLoop, ...), and every TensorFlow function beyond plain arithmetic (`io.write_file`, `py_function`, ...).
The lists were read off Keras 3.15, tf_keras 2.21 and TensorFlow 2.21, then cut by hand.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What a model itself may be; a subclass of Model is somebody's own code.
MODELS = _names(
    """
    Functional Model Sequential
    """
)

# Layers of keras.layers and tf_keras.layers, with the names older versions gave them, and two of ConvNeXt's own.
LAYERS = _names(
    """
    Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
    AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AdditiveAttention AlphaDropout Attention AugMix
    AutoContrast Average AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D
    BatchNormalization BatchNormalizationV1 BatchNormalizationV2 Bidirectional CategoryEncoding CenterCrop Concatenate
    ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose
    ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D Convolution1DTranspose Convolution2D Convolution2DTranspose
    Convolution3D Convolution3DTranspose Cropping1D Cropping2D Cropping3D CuDNNGRU CuDNNLSTM CutMix Dense
    DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout ELU EinsumDense Embedding Equalization Flatten GRU
    GRUCell GRUV1 GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D
    GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention HashedCrossing Hashing Identity
    InputLayer IntegerLookup LSTM LSTMCell LSTMV1 LayerNormalization LayerScale LeakyReLU LocallyConnected1D
    LocallyConnected2D Masking MaxNumBoundingBoxes MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D
    MaxPooling3D Maximum MelSpectrogram Minimum MixUp MultiHeadAttention Multiply Normalization PReLU Permute Pipeline
    RMSNormalization RNN RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast
    RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHeight
    RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness
    RandomShear RandomTranslation RandomWidth RandomZoom ReLU RepeatVector Rescaling Reshape Resizing
    ReversibleEmbedding STFTSpectrogram SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D
    SimpleRNN SimpleRNNCell Softmax Solarization SpatialDropout1D SpatialDropout2D SpatialDropout3D
    SpectralNormalization StackedRNNCells StochasticDepth StringLookup Subtract SyncBatchNormalization
    TextVectorization ThresholdedReLU TimeDistributed UnitNormalization UpSampling1D UpSampling2D UpSampling3D
    ZeroPadding1D ZeroPadding2D ZeroPadding3D
    """
)

# Nodes of a Keras 3 functional model that are no layers: `x * 2`, `keras.ops.sigmoid(x)`.
OPERATIONS = _names(
    """
    Abs Absolute AdaptiveAveragePool AdaptiveMaxPool Add AffineTransform All AllClose Amax Amin Angle Any Append
    Arange Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh Argmax Argmin Argpartition Argsort Array ArraySplit
    Average AveragePool BatchNorm BinaryCrossentropy Bincount BitwiseAnd BitwiseInvert BitwiseLeftShift BitwiseNot
    BitwiseOr BitwiseRightShift BitwiseXor BroadcastTo CDist CTCDecode CTCLoss Cast CategoricalCrossentropy Cbrt Ceil
    Celu Cholesky CholeskyInverse Clip Concatenate Conj Conjugate Conv ConvTranspose ConvertToTensor Copy Corrcoef
    Correlate Cos Cosh CountNonzero CropImages Cross Cumprod Cumsum Deg2rad DepthToSpace DepthwiseConv Det Diag
    Diagflat Diagonal Diff Digitize Divide DivideNoNan Dot DotProductAttention Dsplit Dstack Eig Eigh Einsum
    ElasticTransform Elu EmptyLike Equal Erf Erfc Erfinv Exp Exp2 ExpandDims Expm1 ExtractPatches ExtractSequences FFT
    FFT2 Fabs Flip Fliplr Flipud Floor FloorDivide Fmax Fmin Fmod Fold Full FullLike GaussianBlur Gcd Gelu Geomspace
    GetItem Glu Greater GreaterEqual HSVToRGB HardShrink HardSigmoid HardSilu HardTanh Heaviside Histogram Hsplit
    Hstack Hypot I0 IFFT2 IRFFT ISTFT Imag InTopK Inner Inv IsIn Isclose Isfinite Isinf Isnan Isneginf Isposinf Isreal
    Kron LayerNorm Lcm Ldexp LeakyRelu LeftShift Less LessEqual Linspace Log Log10 Log1p Log2 LogSigmoid LogSoftmax
    Logaddexp Logaddexp2 Logdet LogicalAnd LogicalNot LogicalOr LogicalXor Logspace Logsumexp Lstsq LuFactor
    MapCoordinates Matmul MatrixRank Max MaxPool Maximum Mean Median Meshgrid Min Minimum Mod Moments Moveaxis
    MultiHot Multiply NanToNum Nanargmax Nanargmin Nancumprod Nancumsum Nanmax Nanmean Nanmedian Nanmin Nanpercentile
    Nanprod Nanquantile Nanstd Nansum Nanvar Ndim Negative Nextafter Nonzero Norm Normalize NotEqual OneHot OnesLike
    Outer PSNR Pad PadImages Percentile PerspectiveTransform Pinv Polar Power Prod Ptp Qr Quantile RFFT RGBToGrayscale
    RGBToHSV RMSNorm Rad2deg Ravel Real Rearrange Reciprocal Relu Relu6 Repeat Reshape Resize RightShift Roll Rot90
    Round Rsqrt SSIM STFT SVD SaturateCast ScaleAndTranslate Scatter ScatterUpdate SearchSorted SegmentMax SegmentMin
    SegmentProd SegmentReduction SegmentSum Select Selu SeparableConv Sigmoid Sign Signbit Silu Sin Sinc Sinh Size
    Slice SliceUpdate Slogdet SobelEdges SoftShrink Softmax Softplus Softsign Solve SolveTriangular Sort SpaceToDepth
    SparseCategoricalCrossentropy SparsePlus SparseSigmoid Sparsemax Split Sqrt Square Squareplus Squeeze Stack Std
    StopGradient Subtract Sum Swapaxes Take TakeAlongAxis Tan Tanh TanhShrink Tensordot Threshold Tile TopK Trace
    Transpose Trapezoid Tril Triu TrueDivide Trunc Unfold Unique UnravelIndex Unstack Vander Var Vdot View
    ViewAsComplex ViewAsReal Vsplit Vstack Where ZerosLike
    """
)

# Initializers, regularizers, constraints, number formats, optimizers, schedules, losses, metrics.
PARTS = _names(
    """
    AUC AbsMaxQuantizer Accuracy Adadelta Adafactor Adagrad Adam AdamW Adamax BinaryAccuracy BinaryCrossentropy
    BinaryFocalCrossentropy BinaryIoU CTC CategoricalAccuracy CategoricalCrossentropy CategoricalFocalCrossentropy
    CategoricalGeneralizedCrossEntropy CategoricalHinge Circle ConcordanceCorrelation Constant CosineDecay
    CosineDecayRestarts CosineSimilarity DTypePolicy DTypePolicyMap Dice ExponentialDecay F1Score FBetaScore
    FalseNegatives FalsePositives Float8QuantizationConfig FloatDTypePolicy Ftrl GlorotNormal GlorotUniform HeNormal
    HeUniform Hinge Huber Identity IdentityInitializer Int4DTypePolicy Int4QuantizationConfig Int8QuantizationConfig
    InverseTimeDecay IoU KLDivergence L1 L1L2 L2 Lamb LecunNormal LecunUniform Lion LogCosh LogCoshError
    LossScaleOptimizer LossScaleOptimizerV3 MaxNorm Mean MeanAbsoluteError MeanAbsolutePercentageError MeanIoU
    MeanMetricWrapper MeanRelativeError MeanSquaredError MeanSquaredLogarithmicError MeanTensor MinMaxNorm
    MultiOptimizer Muon Nadam NonNeg Normal One OneHotIoU OneHotMeanIoU Ones OnesV2 OptimizerMap Orthogonal
    OrthogonalInitializer OrthogonalRegularizer PearsonCorrelation PiecewiseConstantDecay Poisson Policy PolicyV1
    PolynomialDecay Precision PrecisionAtRecall QuantizedDTypePolicy QuantizedFloat8DTypePolicy R2Score RMSprop
    RadialConstraint RandomNormal RandomNormalV2 RandomUniform RandomUniformV2 Recall RecallAtPrecision
    RootMeanSquaredError SGD STFT STFTInitializer ScheduleFreeAdamW SensitivityAtSpecificity SparseCategoricalAccuracy
    SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy SpecificityAtSensitivity SquaredHinge Sum
    TopKCategoricalAccuracy TrueNegatives TruePositives TruncatedNormal TruncatedNormalV2 Tversky Uniform UnitNorm
    VarianceScaling VarianceScalingV2 Zero Zeros ZerosV2 constant glorot_normal glorot_uniform he_normal he_uniform
    identity l1 l1_l2 l2 lecun_normal lecun_uniform max_norm min_max_norm non_neg normal one ones orthogonal
    orthogonal_regularizer radial_constraint random_normal random_uniform stft truncated_normal uniform unit_norm
    variance_scaling zero zeros
    """
)

# Activation functions, which a configuration names by string or as an object of class "function".
ACTIVATIONS = _names(
    """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear
    log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus
    sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
    """
)

# Losses and metrics that are functions.
FUNCTIONS = _names(
    """
    KLD MAE MAPE MSE MSLE binary_accuracy binary_crossentropy binary_focal_crossentropy categorical_accuracy
    categorical_crossentropy categorical_focal_crossentropy categorical_generalized_cross_entropy categorical_hinge
    circle concordance_correlation cosine_similarity ctc dice hinge huber kl_divergence kld
    kullback_leibler_divergence l1_l2 log_cosh logcosh mae mape mean_absolute_error mean_absolute_percentage_error
    mean_squared_error mean_squared_logarithmic_error mse msle pearson_correlation poisson sparse_categorical_accuracy
    sparse_categorical_crossentropy sparse_top_k_categorical_accuracy squared_hinge top_k_categorical_accuracy tversky
    """
)

# What a TFOpLambda or SlicingOpLambda of tf_keras may call, by its name in the TensorFlow API.
TENSORFLOW_FUNCTIONS = _names(
    """
    __operators__.add __operators__.eq __operators__.getitem __operators__.ne add_n argsort batch_to_space
    bitwise.bitwise_and bitwise.bitwise_or bitwise.bitwise_xor bitwise.invert bitwise.left_shift bitwise.right_shift
    boolean_mask broadcast_to cast clip_by_norm clip_by_value complex concat cumsum ensure_shape expand_dims eye fill
    gather gather_nd identity identity_n image.adjust_brightness image.adjust_contrast image.central_crop
    image.crop_and_resize image.crop_to_bounding_box image.extract_patches image.flip_left_right image.flip_up_down
    image.grayscale_to_rgb image.hsv_to_rgb image.pad_to_bounding_box image.per_image_standardization image.resize
    image.resize_with_crop_or_pad image.resize_with_pad image.rgb_to_grayscale image.rgb_to_hsv image.rot90
    image.total_variation image.transpose linalg.adjoint linalg.band_part linalg.banded_triangular_solve
    linalg.cholesky linalg.cholesky_solve linalg.cross linalg.det linalg.diag linalg.diag_part linalg.eig linalg.eigh
    linalg.eigh_tridiagonal linalg.eigvals linalg.eigvalsh linalg.einsum linalg.expm linalg.eye linalg.global_norm
    linalg.inv linalg.l2_normalize linalg.logdet linalg.logm linalg.lstsq linalg.lu linalg.lu_matrix_inverse
    linalg.lu_reconstruct linalg.lu_solve linalg.matmul linalg.matrix_rank linalg.matrix_transpose linalg.matvec
    linalg.norm linalg.normalize linalg.pinv linalg.qr linalg.set_diag linalg.slogdet linalg.solve linalg.sqrtm
    linalg.svd linalg.tensor_diag linalg.tensor_diag_part linalg.tensordot linalg.trace linalg.triangular_solve
    linalg.tridiagonal_matmul linalg.tridiagonal_solve linspace math.abs math.accumulate_n math.acos math.acosh
    math.add math.add_n math.angle math.argmax math.argmin math.asin math.asinh math.atan math.atan2 math.atanh
    math.bessel_i0 math.bessel_i0e math.bessel_i1 math.bessel_i1e math.betainc math.bincount math.ceil
    math.confusion_matrix math.conj math.cos math.cosh math.count_nonzero math.cumprod math.cumsum
    math.cumulative_logsumexp math.digamma math.divide math.divide_no_nan math.equal math.erf math.erfc math.erfcinv
    math.erfinv math.exp math.expm1 math.floor math.floordiv math.floormod math.greater math.greater_equal math.igamma
    math.igammac math.imag math.in_top_k math.invert_permutation math.is_finite math.is_inf math.is_nan
    math.is_non_decreasing math.is_strictly_increasing math.l2_normalize math.lbeta math.less math.less_equal
    math.lgamma math.log math.log1p math.log_sigmoid math.log_softmax math.logical_and math.logical_not
    math.logical_or math.logical_xor math.maximum math.minimum math.mod math.multiply math.multiply_no_nan math.ndtri
    math.negative math.nextafter math.not_equal math.polygamma math.polyval math.pow math.real math.reciprocal
    math.reciprocal_no_nan math.reduce_all math.reduce_any math.reduce_euclidean_norm math.reduce_logsumexp
    math.reduce_max math.reduce_mean math.reduce_min math.reduce_prod math.reduce_std math.reduce_sum
    math.reduce_variance math.rint math.round math.rsqrt math.scalar_mul math.segment_max math.segment_mean
    math.segment_min math.segment_prod math.segment_sum math.sigmoid math.sign math.sin math.sinh math.sobol_sample
    math.softmax math.softplus math.softsign math.sqrt math.square math.squared_difference math.subtract math.tan
    math.tanh math.top_k math.truediv math.unsorted_segment_max math.unsorted_segment_mean math.unsorted_segment_min
    math.unsorted_segment_prod math.unsorted_segment_sqrt_n math.unsorted_segment_sum math.xdivy math.xlog1py
    math.xlogy math.zero_fraction math.zeta meshgrid nn.atrous_conv2d nn.atrous_conv2d_transpose nn.avg_pool
    nn.avg_pool1d nn.avg_pool2d nn.avg_pool3d nn.batch_norm_with_global_normalization nn.batch_normalization
    nn.bias_add nn.conv1d nn.conv1d_transpose nn.conv2d nn.conv2d_transpose nn.conv3d nn.conv3d_transpose
    nn.conv_transpose nn.convolution nn.crelu nn.depth_to_space nn.depthwise_conv2d nn.dilation2d nn.dropout nn.elu
    nn.embedding_lookup nn.erosion2d nn.fractional_avg_pool nn.fractional_max_pool nn.gelu nn.in_top_k nn.l2_loss
    nn.l2_normalize nn.leaky_relu nn.local_response_normalization nn.log_poisson_loss nn.log_softmax nn.lrn
    nn.max_pool nn.max_pool1d nn.max_pool2d nn.max_pool3d nn.max_pool_with_argmax nn.moments nn.normalize_moments
    nn.pool nn.relu nn.relu6 nn.selu nn.separable_conv2d nn.sigmoid nn.sigmoid_cross_entropy_with_logits nn.silu
    nn.softmax nn.softmax_cross_entropy_with_logits nn.softplus nn.softsign nn.space_to_batch nn.space_to_depth
    nn.sparse_softmax_cross_entropy_with_logits nn.sufficient_statistics nn.swish nn.tanh nn.top_k
    nn.weighted_cross_entropy_with_logits nn.weighted_moments nn.zero_fraction norm one_hot ones ones_like pad
    quantization.fake_quant_with_min_max_args quantization.fake_quant_with_min_max_vars
    quantization.fake_quant_with_min_max_vars_per_channel range rank realdiv repeat required_space_to_batch_paddings
    reshape reverse reverse_sequence roll round saturate_cast scatter_nd searchsorted sequence_mask shape shape_n
    sigmoid signal.dct signal.fft signal.fft2d signal.frame signal.hamming_window signal.hann_window signal.ifft
    signal.irfft signal.rfft signal.rfft2d signal.stft size slice sort space_to_batch space_to_batch_nd split squeeze
    stack stop_gradient strided_slice tensor_scatter_nd_add tensor_scatter_nd_max tensor_scatter_nd_min
    tensor_scatter_nd_sub tensor_scatter_nd_update tile transpose truncatediv truncatemod unique unravel_index unstack
    where zeros zeros_like
    """
)
