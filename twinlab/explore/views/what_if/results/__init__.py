"""What a run says: verdicts, bands, differences, a future to play, the twin's own KPIs, how far the model can be trusted.

In: results of ``twin.simulate``, whole or as far as they are. Out: panes and tables.
Read in order: `tables`, `verdicts`, `twin_kpis`, `playback`, `partial` (pure), `trust`, `stored_runs`, `panes`.
Never: a difference without its interval; a result without the score of its model.
"""
