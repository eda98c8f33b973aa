"""Calibrations of a twin: ``calibration.yaml`` in its folder, applied on read, with every change in the journal.

In: a twin's folder and journal. Out: calibrated variables, tables of calibrations, and what they change of the exceptions.
Read in order: `store` (the file and the journal), `readers` (values as calibrated), `comparison` (exceptions), `methods` (of `Twin`).
Never: a stored value or flag changed; a calibration without a reason and an author written by us.
"""
