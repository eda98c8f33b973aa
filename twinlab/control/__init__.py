"""ACT: what a twin sends out. So far messages of alerts, and commands as signed bytes; nothing sends a command yet.

In: messages, and how they are to be sent; commands, signers and a file of keys. Out: what was taken over by a server or a disk; envelopes, and who signed them.
Read in order: `delivery`, `envelopes`, `keys`.
Never: a secret in a file or in a log.
"""
