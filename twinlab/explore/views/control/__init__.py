"""ControlExplorer: setpoints, plans of commands, the emergency stop, and the audit with its proof.

In: a twin whose model has ``commands:``, and who reads the page. Out: plans that are proposed, signed and sent; rows of the audit.
Read in order: `possible`, `signing` (who signs), `timeline` (pure), `stop_bar`, the parts `setpoints`, `plans`, `audit`, then `explorer`.
Never: a private key or a passphrase that outlives its page; a command without a plan; a state that only a colour shows.
"""
