"""What a run costs: a quote from its first chunks, a meter afterwards, and a budget that isn't exceeded.

In: seconds of processor and of clock of chunks, bytes, rates. Out: seconds, CPU-hours, kWh, grams of CO₂, money and bytes, each with its interval and
source.
Read in order: `twinlab._rates`, `twinlab._energy` (counters or watts per core; backtests use both, too), `amounts` (the six figures), `tally` (what was measured so far, and what the rest will
take), `budget`.
Never: a figure without its source, a quote that leaves out what was spent to make it.
"""
