"""Slow work beside a page: in a thread of its own, with progress, and cancelled when the reader asks.

In: a function that takes ``progress`` and ``cancel``. Out: its result or its error, on the page's own thread.
Never: an error that is lost in a thread.
"""
