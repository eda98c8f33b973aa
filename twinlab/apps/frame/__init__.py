"""The page around a twin's views: top bar, navigation, one view at a time, drawer and actions.

In: a workspace of `twinlab.explore`. Out: a Panel template that works on phones and without a network.
Read in order: `frame` (assembles the page), `page_template`, `theme`, `bar`, `drawer`, `actions`, `onboarding`,
`settings`, then the scripts of the browser (`browser_side`, `accessibility_fixes`).
Never: a twin's own names in the code, a font or script from another host.
"""
