"""Credentials by the usual chain of AWS: environment, profile files, then what the machine itself has (container, instance, web identity)."""

from __future__ import annotations

import os
from typing import Any

from twinlab.objects.address import profile_settings

__all__ = ["credential_settings"]

#: Settings of a profile that only boto3 can follow.
_FOR_BOTO = {"sso_session", "sso_start_url", "role_arn", "credential_process"}


def credential_settings() -> dict[str, Any]:
    """Return what the store is opened with beside its address.

    Keys of the environment are found by the store's client itself. Those of a profile are passed to it. A profile with single sign-on, a
    role or a program needs boto3. Otherwise the client asks the machine: web identity, container or instance.
    """
    if os.environ.get("AWS_ACCESS_KEY_ID") or os.environ.get("AWS_SKIP_SIGNATURE"):
        return {}
    profile = profile_settings()
    if "aws_access_key_id" in profile and "aws_secret_access_key" in profile:
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        return {name.removeprefix("aws_"): profile[name] for name in names if name in profile}
    if _FOR_BOTO & set(profile):
        try:
            from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415  (few profiles need it)
        except ImportError as error:
            asked = ", ".join(sorted(_FOR_BOTO & set(profile)))
            msg = f"expected boto3 for an AWS profile with {asked}: pip install boto3, or set AWS_ACCESS_KEY_ID and its secret"
            raise ImportError(msg) from error
        return {"credential_provider": Boto3CredentialProvider()}
    return {}
