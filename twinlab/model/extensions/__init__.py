"""Extensions: what the author of a package declares to add a quality test, a kind of rule, of KPI or of live source to twinlab.

In: an author's function, its options as a class, what it needs. Out: `QualityTest`, `RuleKind`, `KpiKind`, `LiveKind`.
Read in order: `options` (types of options, errors with their place), `secrets`, `quality_test`, `rule_kind`, `kpi_kind`, `live_kind`.
Never: an option without a declared type, a number with a unit that isn't converted, a secret in a YAML file.
"""
