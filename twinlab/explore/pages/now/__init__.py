"""The Now page: what needs attention, worst first; where an asset is; notes and acknowledgements.

In: a twin with rules and an instant. Out: tiles, the table of exceptions, a map, a search, the dispatcher's workbook.
Read in order: `page`, `tiles`, `tile_buttons`, `rows`, `table`, `columns`, `actions`, `notes`, `map`,
`search`, `answer`, `sheet` with `dispatch`.
Never: a row that moves while somebody types in it, a note lost.
"""
