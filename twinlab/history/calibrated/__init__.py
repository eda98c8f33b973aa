"""Calibrations applied to what is read: corrected cells, and windows of corrected cells, as lazy as the history itself.

In: a Dataset of `twinlab.history` and calibrations. Out: the Dataset with ``<signal>_calibrated`` beside each gauge.
Read in order: `cells`, `windows`, `datasets`.
Never: a stored value or a flag changed.
"""
