"""The file ``access.yaml``, which is read again whenever somebody asks: a change counts at once."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from twinlab.errors import SchemaError, TwinlabError
from twinlab.model.access.policy import DEFAULT_POLICY, AccessPolicy
from twinlab.model.load import parse_as
from twinlab.model.yamltext import read_text

__all__ = ["FILE_NAME", "AccessPolicyFile", "load_policy", "parse_policy"]

_LOG = logging.getLogger(__name__)
#: Name of the file in a twin's folder.
FILE_NAME = "access.yaml"
_NOTHING = AccessPolicy(roles={})


def parse_policy(text: str, name: str = FILE_NAME) -> AccessPolicy:
    """Read a policy from YAML.

    Parameters
    ----------
    text : str
        The YAML.
    name : str
        Name of the file, for messages.

    Raises
    ------
    SchemaError
        With a line for each fault: file, line, path, what was expected, what was found.

    Examples
    --------
    >>> parse_policy("roles: {viewer: {pages: [now]}}").roles["viewer"].pages
    ['now']
    """
    return parse_as(AccessPolicy, text, name, first="roles:")


def load_policy(path: Path | str) -> AccessPolicy:
    """Read an ``access.yaml``; see `parse_policy`."""
    return parse_policy(read_text(Path(path)), str(path))


class AccessPolicyFile:
    """The policy in a file; `DEFAULT_POLICY` where there is no file.

    Parameters
    ----------
    path : Path, optional
        The file; by default there is none.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._bytes: bytes | None = None
        self._policy = DEFAULT_POLICY

    def read(self) -> AccessPolicy:
        """Return the policy as the file states it now.

        Raises
        ------
        SchemaError
            If the file can't be read or isn't valid. Neither an earlier state nor the default is used instead.
        """
        found = self._read_bytes()
        if found != self._bytes:
            self._policy = _NOTHING if found is not None else DEFAULT_POLICY
            self._bytes = found
            if found is not None:
                # A faulty file stays read: everybody is refused until it is repaired.
                self._policy = parse_policy(_decoded(found, self._path), str(self._path))
        return self._policy

    def current(self) -> AccessPolicy:
        """Return the policy; one that allows nothing while the file is faulty, which is logged."""
        try:
            return self.read()
        except TwinlabError:
            _LOG.exception("nobody may do anything until the access policy is repaired")
            return _NOTHING

    @property
    def fingerprint(self) -> str:
        """Hash of the policy that counts now: pages that were opened under another one are closed."""
        return hashlib.sha256(self.current().model_dump_json().encode()).hexdigest()

    def _read_bytes(self) -> bytes | None:
        if self._path is None:
            return None
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            msg = f"{self._path} can't be read: {error.strerror}; nobody may do anything until it can"
            raise SchemaError(msg) from error


def _decoded(found: bytes, path: Path | None) -> str:
    try:
        return found.decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"{path}: expected UTF-8, got: {error}"
        raise SchemaError(msg) from error
