"""Subcommands for who operates a twin: backups, restored into a new folder; whether it is well; what several servers share.

In: arguments. Out: text and an exit code.
Read in order: `backup`, `health`, `catalogues` (journal, logins and plans in a database).
Never: a file that is overwritten.
"""
