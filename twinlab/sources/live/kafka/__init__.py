"""Kafka, and others with its protocol: messages of topics as rows of tables, each once.

In: brokers, topics and their formats. Out: rows; the offset behind them becomes durable with them, or not at all.
Read in order: `options`, `values` (values of messages as objects), `messages` (messages as rows, and those that can't be read), `place`
(where a partition is read on, and what is missing before it), `connection` (the client library), `source`, `kind`.
Never: an offset of a consumer group relied on, a message that can't be read dropped, a message produced.
"""
