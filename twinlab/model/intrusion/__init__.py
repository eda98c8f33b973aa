"""What a twin states about intrusions: when commands are usual, what is searched for.

In: the section ``security`` of ``twin.yaml``. Out: `SecurityRule`. Read `section`.
Never: a key or a name of a person.
"""
