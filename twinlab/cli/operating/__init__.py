"""Subcommands for who operates a twin: backups, restored into a new folder; whether it is well.

In: arguments. Out: text and an exit code.
Read in order: `backup`, `health`.
Never: a file that is overwritten.
"""
