"""Releases: data that leave the twin for a purpose, in groups of people, tested by an attack before anybody gets them.

In: a reader for a purpose, limits of ``privacy.release``. Out: a file with owner, purpose and terms in its metadata, a receipt in the audit.
Read in order: `rows` (what is released, with the person of each row), `groups`, `noise`, `budget`, `linkage` (the attack), `files`, `release`.
Never: a file that the attack has a higher success with than stated; a budget that is spent twice.
"""
