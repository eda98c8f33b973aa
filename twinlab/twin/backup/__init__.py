"""Backup: a twin's folder at one instant, as pieces by content; brought back into a new folder.

In: a twin's folder, a folder or a prefix of an object store. Out: numbered backups of which each is complete; a twin again.
Read in order: `record` (what a backup is), `place` (whose a place is, who writes to it), `other_files` (what a push doesn't send), `people`
(keys that must not come back), `contents`, `making`, `schedule` (which backups stay), `removing`, `listing`, `restoring`, `methods`.
Never: a key of a person, a file that is overwritten, a backup without all of its pieces.
"""
