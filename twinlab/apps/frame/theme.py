"""How the frame looks: calm, dense, legible in both themes."""

from __future__ import annotations

from typing import Any

__all__ = ["BLUE", "RAIL", "THEME", "page_look"]

BLUE = "#005A8C"
_PHONE = "@media (max-width: 600px)"
#: Height of the top bar in pixels.
BAR_HEIGHT = 52

# White on the bar in both themes: 7:1 and more.
_BAR: dict[str, Any] = {
    "MuiAppBar": {
        "styleOverrides": {
            "root": {
                "backgroundColor": BLUE,
                "backgroundImage": "none",
                "color": "#fff",
                "& .MuiIconButton-root, & svg": {"color": "#fff"},
                "& .title": {"fontSize": "1.15rem", "lineHeight": "1.2", "fontWeight": 500},
                # On a phone, a title of two lines still fits the bar.
                _PHONE: {"& .title": {"fontSize": ".95rem", "lineHeight": "1.15"}},
            }
        }
    },
}
THEME: dict[str, Any] = {
    "light": {"palette": {"primary": {"main": BLUE}}, "components": _BAR},
    "dark": {"palette": {"primary": {"main": "#56B4E9"}}, "components": _BAR},
}


def page_look(*, drawer: bool) -> dict[str, Any]:
    """Return the style of the page; an open drawer lies beside what is shown where there is room."""
    return {
        "--tl-bar": f"{BAR_HEIGHT}px",
        "& .MuiToolbar-root": {"minHeight": f"{BAR_HEIGHT}px", "paddingLeft": "16px", "paddingRight": "8px"},
        # Let what stands beside the name shrink rather than lie over the theme's switch.
        "& .header .MuiToolbar-root > .MuiBox-root": {"minWidth": 0},
        "& .header .MuiToolbar-root > .MuiBox-root:first-of-type": {_PHONE: {"maxWidth": "34vw"}},
        "& .header .MuiToolbar-root > .MuiIconButton-edgeStart": {_PHONE: {"marginRight": "4px"}},
        "& .sidebar": {_PHONE: {"width": "240px"}},
        # It says nothing: the server isn't asked at each event whether it's busy.
        "& .header .MuiLinearProgress-root": {"display": "none"},
        # Or a page longer than the screen would shrink to it, and the bar at its end would scroll away into its middle.
        "& .main-content > *, & .main-content > .child-wrapper > *": {
            "flexShrink": "0 !important",
            "maxHeight": "none !important",
        },
        "& .main-content": {"@media (min-width: 1101px)": {"paddingRight": "380px" if drawer else 0}},
    }


#: Icons above short names; on a phone, where the rail is a drawer, beside them.
RAIL: dict[str, Any] = {
    "paddingTop": "6px",
    "& .MuiListItemButton-root": {
        "flexDirection": "column",
        "gap": "2px",
        "padding": "8px 2px",
        "textAlign": "center",
        _PHONE: {"flexDirection": "row", "padding": "10px 16px", "gap": "12px"},
    },
    "& .MuiListItemText-primary": {"fontSize": "12px", _PHONE: {"fontSize": "15px"}},
}
