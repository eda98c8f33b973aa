"""One module a kind of model, or of a part that several have: its reader and its writer.

In: an object and an encoder, or its content and a decoder. Out: the content, or the object.
Read in order: `protocol` (inputs and targets), `features`, `estimators`, `sklearn`, `lightgbm`, `baselines`, `conformal`, `delay`, `failure`, `forecasting`, `anomaly`.
Never: a class that isn't named here; a number from a file that is used as a place in memory without a check.
"""
