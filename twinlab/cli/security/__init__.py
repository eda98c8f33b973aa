"""Subcommands on who may do what, what was done, and data about people.

In: arguments. Out: text and an exit code.
Read in order: `keys` (of people and devices), `audit` (proved, searched), `privacy` (records of processing, retention, erasure),
`reidentify` (whom a pseudonym belongs to).
Never: a passphrase as an argument, which other processes can see.
"""
