"""Charts of what-if runs: signals as bands over replications, paired differences of KPIs, differences by asset and time.

In: Datasets with dims scenario and replication, comparisons of scenarios. Out: HoloViews objects.
Read in order: `bands`, `differences`, `difference_map`.
Never: a line for each replication; a mean without its interval.
"""
