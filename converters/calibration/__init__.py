"""Calibration: data checked against the model, and the range of every activation measured with it."""

from converters.calibration.histogram import Range
from converters.calibration.ranges import METHODS, Method, apply_ranges, collect
from converters.calibration.samples import check
from converters.calibration.scale import check_range

__all__ = ["METHODS", "Method", "Range", "apply_ranges", "check", "check_range", "collect"]
