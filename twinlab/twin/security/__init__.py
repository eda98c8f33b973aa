"""Security of a twin: intrusions found while the historian runs, messages in quarantine, gateways with their keys.

In: the security log, the audit and the history of a twin. Out: tables of security events, of quarantined messages and of gateways.
Read in order: `state` (events and what rules remember, in one file), `rounds` (what is new to events), `log_tail` (new lines of a growing
log), `gateways`, `reading` (a reader that has security events), `methods`.
Never: a decision of its own on a message; an event that disappears because its log was removed.
"""
