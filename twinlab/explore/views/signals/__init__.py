"""The signal explorer: assets and signals from years to single samples, compared with other periods.

In: a twin to read and parameters. Out: charts, tables and code of one view.
Read in order: `explorer`, `parameters`, `controls`, `request`, `view`, `follow`, `periods`, `compare`, `live_charts`,
`figure`, `tables`, `code`.
Never: a sample drawn that its flag rejects without saying so.
"""
