"""Access: which roles may see which pages, assets and fields, for which purposes, and send which commands.

In: ``access.yaml`` in the twin's folder, or nothing (`DEFAULT_POLICY`). Out: a decision for each question.
Read in order: `roles`, `questions`, `policy` (the decision function), `policy_file`, `policy_faults`.
Never: a decision that depends on anything but the policy, the roles and the question; an open door after a fault.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "AccessPolicy": "policy",
        "AccessPolicyFile": "policy_file",
        "AssetGroup": "policy",
        "DEFAULT_POLICY": "policy",
        "Decision": "questions",
        "ReadAsset": "questions",
        "ReadField": "questions",
        "Role": "roles",
        "RoleRule": "policy",
        "SeePage": "questions",
        "SendCommand": "questions",
        "load_policy": "policy_file",
        "parse_policy": "policy_file",
        "policy_faults": "policy_faults",
    },
)
