"""WhatIfExplorer: futures of a twin from its state at an instant, in scenarios, and what differs between them.

In: a twin that can simulate. Out: a choice of start, length and changes; a quote; a run that can be cancelled; bands, differences with
verdicts, a map of differences.
Read in order: `possible`, `plan` (pure), `change_form`, `background`, `partial` (pure), `result_panes`, `explorer`.
Never: a run that the reader didn't ask for; a difference without its interval.
"""
