"""The errors of the toolkit, all of them `CompressionError`s; see `converters.errors` for what each one means."""

from converters.errors import (
    BridgeError,
    CertificateError,
    ChildDiedError,
    CompressionError,
    ConversionError,
    DataError,
    DeviceError,
    FileError,
    ModelError,
    NotAvailableError,
    TrainingError,
    UnsafeModelError,
    UsageError,
)

__all__ = [
    "BridgeError",
    "CertificateError",
    "ChildDiedError",
    "CompressionError",
    "ConversionError",
    "DataError",
    "DeviceError",
    "FileError",
    "ModelError",
    "NotAvailableError",
    "TrainingError",
    "UnsafeModelError",
    "UsageError",
]
