"""Login with OpenID Connect: authorization code flow with PKCE, state and nonce (extra ``oidc``: authlib, joserfc, requests).

In: ``oidc.yaml`` with the provider, the client and a map of groups to roles. Out: a login as from the users file.
Read in order: `settings`, `provider`, `person`, `flows`, `handlers`.
Never: a secret in the settings file or a log, a token on disk, a role that the map doesn't give.
"""
