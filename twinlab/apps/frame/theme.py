"""Colors and styles of the frame, for the light and the dark theme, desktop and phone."""

from __future__ import annotations

from typing import Any

__all__ = ["BLUE", "NAVIGATION", "THEME", "page_style"]

BLUE = "#005A8C"
_PHONE = "@media (max-width: 600px)"
#: Height of the top bar in pixels.
BAR_HEIGHT = 52

# White text on the bar in both themes: contrast of 7:1 or more.
_BAR: dict[str, Any] = {
    "MuiAppBar": {
        "styleOverrides": {
            "root": {
                "backgroundColor": BLUE,
                "backgroundImage": "none",
                "color": "#fff",
                "& .MuiIconButton-root, & svg": {"color": "#fff"},
                "& .title": {"fontSize": "1.15rem", "lineHeight": "1.2", "fontWeight": 500},
                # On a phone, a title of two lines fits into the bar.
                _PHONE: {"& .title": {"fontSize": ".95rem", "lineHeight": "1.15"}},
            }
        }
    },
}
THEME: dict[str, Any] = {
    "light": {"palette": {"primary": {"main": BLUE}}, "components": _BAR},
    "dark": {"palette": {"primary": {"main": "#56B4E9"}}, "components": _BAR},
}


def page_style(*, drawer: int) -> dict[str, Any]:
    """Return the style of the page; on a wide screen, an open drawer of so many pixels is beside the content, not over it."""
    return {
        "--tl-bar": f"{BAR_HEIGHT}px",
        "& .MuiToolbar-root": {"minHeight": f"{BAR_HEIGHT}px", "paddingLeft": "16px", "paddingRight": "8px"},
        # The elements beside the title shrink instead of covering the theme switch.
        "& .header .MuiToolbar-root > .MuiBox-root": {"minWidth": 0},
        "& .header .MuiToolbar-root > .MuiBox-root:first-of-type": {_PHONE: {"maxWidth": "34vw"}},
        "& .header .MuiToolbar-root > .MuiIconButton-edgeStart": {_PHONE: {"marginRight": "4px"}},
        "& .sidebar": {_PHONE: {"width": "240px"}},
        # Hidden, since the page doesn't follow whether the server is busy.
        "& .header .MuiLinearProgress-root": {"display": "none"},
        # Otherwise a page longer than the screen shrinks to it, and the action bar ends up in the middle of the content.
        "& .main-content > *, & .main-content > .child-wrapper > *": {
            "flexShrink": "0 !important",
            "maxHeight": "none !important",
        },
        "& .main-content": {"@media (min-width: 1101px)": {"paddingRight": f"{drawer}px"}},
    }


#: Navigation: icons above labels; beside them on a phone, where the navigation is a drawer.
NAVIGATION: dict[str, Any] = {
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
