"""When events will end, from stored predictions: for an asset's card, a search result, and the list of what will probably be late.

In: predictions of delays that ``twin.delay(…, store=…)`` stored. Out: tables and HTML with the interval, the plan, the reason, and when it was predicted.
Read in order: `predicted`, `html`.
Never: a fit or a prediction while somebody waits for a page; an old prediction that looks like a new one.
"""
