"""What clients get: texts in which nothing is invisible, tables of bounded size, and the schema of results.

In: frames, answers and texts of a twin. Out: models with a JSON schema.
Read in order: `texts`, `schemas`, `tables`, `answers`.
Never: a control character or a direction mark as it came, a number without its unit where the twin states one.
"""
