"""The plant as a running program: real time or faster, with its peers, and the truth recorded beside.

In: a size, a speed, a folder. Out: peers on loopback, ``plant.json`` with their addresses, `truth` in files.
Read in order: `chosen` (which peers), `truth` (what is recorded), `injector` (faults), `orders` (commands and faults while it
runs), `runner` (the loop and its clean end), `true_signals` (the truth in the words of a twin).
Never: a peer that is left running; truth where a twin would ingest it.
"""
