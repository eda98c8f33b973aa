"""ASSIST: a twin for assistants of others, by the Model Context Protocol: typed tools, bounded results, the rights of a login.

In: a twin, and who asks. Out: a server of the official ``mcp`` SDK over standard input and output, or over HTTP.
Read in order: `limits`, `results` (texts, tables and schemas), `caller` (who asks, with which rights), `tools` (what can be asked),
`resources`, `faults` (errors as clients read them), `workers`, `server`, `serving`.
Never: a write, but for a proposal that a person approves in the page; a number that no call of twinlab returned; a path, a
traceback, or a name that the caller may not see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.assistants.caller import Callers
    from twinlab.assistants.limits import Limits
    from twinlab.assistants.server import mcp_server
    from twinlab.assistants.serving.http import HttpOptions, serve_http
    from twinlab.assistants.serving.stdio import serve_stdio

__all__ = ["Callers", "HttpOptions", "Limits", "mcp_server", "serve_http", "serve_stdio"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Callers": "caller",
        "HttpOptions": "serving.http",
        "Limits": "limits",
        "mcp_server": "server",
        "serve_http": "serving.http",
        "serve_stdio": "serving.stdio",
    },
)
