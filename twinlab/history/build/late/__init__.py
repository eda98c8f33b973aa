"""Late claims: what to build after them, and many of them built at once.

In: the cells that late claims change, by column. Out: plans of few cells each, and their blocks.
Read in order: `planning`, `building`.
Never: another cell than `build.build_blocks` would build for the plan.
"""
