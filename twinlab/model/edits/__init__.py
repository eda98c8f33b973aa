"""Changes of the texts of models and mappings, which keep comments, order and quotes.

In: a YAML text, a path, a value. Out: the text with that value.
Read in order: `yaml_edit`.
Never: a comment lost, another value changed.
"""
