"""Deliver messages through channels: the log, a file, mail (SMTP), a webhook, or what another package adds.

In: the options of a channel and a message. Out: nothing; an error if it wasn't taken over.
Read in order: `channels` (the registry), `local` (log and file), `smtp`, `webhook`.
Never: a secret in a file or in an error; a wait without an end.
"""
