"""ACT: what a twin sends out. So far messages of alerts, and the audit of what was done.

In: messages, and how they are to be sent. Out: what was taken over by a server or a disk.
Read in order: `delivery`, `audit`.
Never: a secret in a file or in a log.
"""
