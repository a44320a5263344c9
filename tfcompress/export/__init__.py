"""A `.tflite` file as a project for a microcontroller, or as a model of the demo app for Android.

    made = export("model.tflite", "cmake", data="data.npz")
    folder.write(Path("firmware"), made.files, bundle.FOLDER)

    made = export_android("model.tflite", Beside(labels="labels.txt", samples=["seven.png"]), scale="0..1")
    folder.write(Path("digits"), made.files, bundle.FOLDER)

Both come with test vectors: runs of the file on samples of the user's data, or on random inputs. `folder` is
`converters.folder`, `bundle` that of `converters.microcontroller` or of `converters.android`.
"""

from __future__ import annotations

from tfcompress.export.android import Beside, export_android
from tfcompress.export.microcontroller import export

__all__ = ["Beside", "export", "export_android"]
