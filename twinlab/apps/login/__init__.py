"""Who may see a served page: users, passwords, sessions, and the check before every request.

In: the users file and a request. Out: a user with roles, or a refusal.
Read in order: `users`, `passwords`, `scrypt` (hashes of earlier versions), `private_files`, `login_store`, `accounts`,
`sessions`, `access`, `rates`, `request_guard`, `response_headers`, `login_service`, `handlers`, `page`, `oidc`, `user_command` (``twinlab user``).
Never: a password in clear text on disk or in a log, a route that the guard doesn't check.
"""
