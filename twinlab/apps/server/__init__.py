"""Serve a twin's pages: to this machine, or with TLS and a login to others.

In: a twin and the options of ``twinlab serve``. Out: one running Tornado server, or several behind one port.
Read in order: `serve_options`, `certificates`, `access_policy`, `logins`, `websockets`, `server`, `session_ends`, `server_tuning`, `processes` (several workers), `lab` (JupyterLab on one notebook).
Never: a page offered to other machines without TLS and login.
"""
