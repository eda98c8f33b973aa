"""Retention: what a twin's storage will cost, what it could keep instead, and applying what a person chose.

In: the twin's own history, prices and a budget. Out: `StorageForecast`, `RetentionPlan`, `RetentionReport`.
Read in order: `forecast`, `kept`, `reduced`, `errors`, `kpi_errors`, `ranking`, `codec_table`, `applying`,
`plan`, `making`, `methods` (of `Twin`), `command`.
Never: anything removed that wasn't shown and agreed to.
"""
