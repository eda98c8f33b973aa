"""JupyterHub: one twin, many users. Each has a notebook server of their own; the twin is read by all, and written by its historian.

jupyterhub -f jupyterhub_config.py, with jupyterhub, jupyterhub-systemdspawner and jupyterhub-idle-culler in the environment of twinlab.
Accounts are those of the machine. Its group ``twin-readers`` may read /srv/twinlab/pilot; only the user twinlab may write there.
"""

# ruff: noqa: INP001
c = get_config()  # noqa: F821  (JupyterHub's own)

c.JupyterHub.bind_url = "https://0.0.0.0:8000"
c.JupyterHub.ssl_cert = "/etc/twinlab/cert.pem"
c.JupyterHub.ssl_key = "/etc/twinlab/key.pem"
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.allowed_groups = {"twin-readers"}
c.PAMAuthenticator.admin_groups = {"twin-stewards"}
c.JupyterHub.spawner_class = "systemd"

# What a user's notebooks may take.
c.SystemdSpawner.mem_limit = "4G"
c.SystemdSpawner.cpu_limit = 2.0
# Keys, settings and other homes can't be seen; the twin can't be written.
c.SystemdSpawner.isolate_tmp = True
c.SystemdSpawner.disable_user_sudo = True
c.SystemdSpawner.readonly_paths = ["/"]
c.SystemdSpawner.readwrite_paths = ["/home/{USERNAME}"]
c.SystemdSpawner.unit_extra_properties = {"InaccessiblePaths": "-/srv/twinlab/keys -/etc/twinlab"}

# tl.open(os.environ["TWIN"]) in a notebook; caches are in each user's own home.
c.Spawner.environment = {
    "TWIN": "/srv/twinlab/pilot",
    # Listed by the card "Digital twins" in the launcher of JupyterLab.
    "TWINLAB_TWINS": "/srv/twinlab/pilot",
    "PANEL_INLINE": "1",
}
c.Spawner.default_url = "/lab"
# A server that nobody uses ends after an hour.
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": ["python", "-m", "jupyterhub_idle_culler", "--timeout=3600"],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
