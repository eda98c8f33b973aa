"""Intrusions: security events found by rules in what a broker, a historian and the audit noted, and in the values of sensors.

In: lines of the security log in order of time, and histories. Out: findings, joined to events (`table.SECURITY_EVENT`).
Read in order: `records` (a line of a log), `rule` (what a rule is), `registry`; then the rules: `connections`, `messages`, `traffic`,
`commanding`, `sensors/` (values that are false although their sensor's certificate is valid); `fold` (lines to findings, with what the
rules remember), `joined` (findings to events), `table`.
Never: a decision whether a message or command is accepted: these rules look at what was decided; a clock, a file or a network.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "INTRUSION_RULES": "registry",
        "Finding": "rule",
        "IntrusionRule": "rule",
        "LogRecord": "records",
        "Memory": "fold",
        "SECURITY_EVENT": "table",
        "findings_of": "fold",
        "joined": "joined",
        "log_records": "records",
        "security_table": "table",
    },
)
