"""The statement that a twin's data are synthetic.

In: the section ``synthetic`` of ``twin.yaml``. Out: where its data come from, and what is refused because of it.
Read in order: `section`.
Never: a synthetic twin that looks like an observed one, or that can send a command.
"""
