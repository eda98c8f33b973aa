"""ACT: what a twin sends out. So far messages of alerts, and commands as signed bytes; nothing sends a command yet.

In: messages, and how they are to be sent; commands and signers. Out: what was taken over by a server or a disk; envelopes.
Read in order: `delivery`, `envelopes`.
Never: a secret in a file or in a log.
"""
