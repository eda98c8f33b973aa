"""The map explorer: where assets are at an instant, through time.

In: a twin to read and an instant. Out: a map with outlines, markers, routes and one asset's track.
Read in order: `explorer`, `reading`, `preload`, `layers`, `colors`, `legend`, `tooltips`, `figure`, `live_figure`,
`routes`, `planned_stops`, `track`, `tables`.
Never: a map tile or another request, a position later than the instant.
"""
