"""Command a plant: propose, approve, send; setpoints beside what is reported; the emergency stop.

In: an asset, a parameter, a setpoint. Out: a plan; a table.
Read in order: `settings` (``control.yaml``), `settled`, `setpoints`, `methods`.
Never: logic of `control`; a command from a twin whose model has no ``commands:``.
"""
