"""The C++ bundle for microcontrollers: `bundle.make` turns a `.tflite` file into the files of a project.

formats/<name>/          what differs between build systems: `format.toml`, templates, `build.md.j2`. The next format
                         goes here, and nothing else is changed
templates/               the C++ that all formats share; only `model.cpp.j2` needs TFLM
resolver_methods.toml    operator -> method that registers its kernel
"""
