"""What live sources sent and nobody can read: messages and batches as files, until a person removes them.

In: messages and batches. Out: files in a twin's folder, encrypted if it states privacy; a table of the messages.
Read in order: `files` (durable, encrypted), `messages`.
Never: a message dropped, personal data in a plain file of a twin that states privacy.
"""
