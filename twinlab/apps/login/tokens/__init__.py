"""Tokens of users, for programs that ask without a browser.

In: a users file. Out: tokens that programs send, and the user of a token.
Read in order: `tokens`, `token_command`.
Never: a token as text in a file; only its hash is stored.
"""
