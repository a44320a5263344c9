"""Model files are not trusted: read as data, and refused if they could run code, before any loader sees them."""

from converters.keras_models.safety.model_file import Kind, ModelFile, check

__all__ = ["Kind", "ModelFile", "check"]
