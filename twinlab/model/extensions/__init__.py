"""Extensions: what the author of a package declares to add a quality test or a kind of rule to twinlab.

In: an author's function, its options as a class, what it needs to be told. Out: `QualityTest`, `RuleKind`.
Read in order: `options` (types of options, errors with their place), `quality_test`, `rule_kind`.
Never: an option without a declared type, a number with a unit that isn't converted.
"""
