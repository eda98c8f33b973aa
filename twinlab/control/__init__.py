"""ACT: what a twin sends out. Commands that were simulated and approved, messages of alerts, and the audit of what was done.

In: what is to be set, or messages, and how they are to be sent. Out: what was acknowledged by an asset, a server or a disk.
Read in order: `delivery`, `audit`, `proposals`, `carriers`.
Never: a secret in a file or in a log; a command that nobody simulated, or that is sent twice by itself.
"""
