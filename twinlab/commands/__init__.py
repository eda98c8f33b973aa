"""Commands: what is asked of an asset, as signed messages. The twin, gateways and devices check them with the same code.

In: what is to be set, or bytes from anybody. Out: bytes to send, or a command that may be carried out.
Read in order: `messages`, `guard`.
Never: a network; a command that is carried out because it can't be checked.
"""
