"""Signatures: bytes signed with Ed25519 keys, and whose keys count. Whoever sends, checks or carries out uses the same.

In: bytes and signers, or bytes from anybody and a file of keys. Out: envelopes, or payloads and who signed them.
Read in order: `envelopes`, `keys`, `subjects` (keys of people whose data a twin has).
Never: a private key in a file of the twin; a meaning of the bytes.
"""
