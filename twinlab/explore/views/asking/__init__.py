"""Ask in words: a field with completion, the plan before it runs, then the answer with what it rests on.

In: a twin as the reader sees it, and a planner if it isn't the built-in one. Out: a view for a page or a notebook, of which the frame of
served pages uses the field and the panel apart.
Read in order: `field` (what runs in the browser), `view`, `parts` (the panel), `texts`, `pictures`, `links`.
Never: a plan that runs before a person has seen it, a question planned on the event loop.
"""
