"""Peers: servers of a plant with the protocols of a real one, on loopback with free ports.

In: moments of the running plant. Out: what the systems of a real network show of it.
Read in order: `peer` (what each peer implements), `certificates`, then one module for each.
Never: the truth itself; a port that other computers reach; a certificate or password that outlives the run.
"""
