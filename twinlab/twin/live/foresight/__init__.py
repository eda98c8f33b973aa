"""Predictions while a historian runs: a process of its own, again and again.

In: the twin's folder, whose ``twin.yaml`` has ``predictions:``. Out: lines of the log; the process stores what it predicts.
Read: `child`.
Never: a fit in the historian's own process, which would slow down what it stores.
"""
