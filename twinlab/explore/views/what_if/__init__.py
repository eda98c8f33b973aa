"""WhatIfExplorer: futures of a twin from its state at an instant, in scenarios, and what differs between them.

In: a twin that can simulate. Out: a choice of start, length and changes, also on a map; a quote; a run that can be cancelled; its results.
Read in order: `possible`, `plan`, `places` (pure), `change_form`, `hub_map`, `plan_view`, `results`, `explorer`.
Never: a run that the reader didn't ask for; a difference without its interval.
"""
