"""Alerts of a twin: raised, stored in its journal, sent, snoozed; and which ones would have been raised.

In: the twin's exceptions. Out: tables of alerts, messages through channels.
Read in order: `store` (the journal), `running` (one round), `known_then` (what was known when), `methods`.
Never: a message for an alert that isn't durable yet.
"""
