"""MQTT: rows of gateways with outboxes, each once, acknowledged when the ledger has them on its disk.

In: a broker, and messages of `twinlab.edge`. Out: rows in the order of their sequences; replies to the gateways.
Read in order: `options`, `inbox` (messages to accepted rows), `source` (the connection), `kind`.
Never: a row acknowledged before it is durable; a message taken that the guard refuses.
"""
