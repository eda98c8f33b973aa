"""Below the exceptions: what is unusual, with buttons to accept or reject it, and what will probably be late.

In: anomaly events of watched asset types, and stored predictions of delays. Out: two panes.
Read in order: `anomaly_rows` (what is shown), `anomalies` (with its buttons), `lists`.
Never: a score or a prediction computed while a page is open.
"""
