"""Whether the workers of a cluster can do the work: the same twinlab, and the twin within reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twinlab.compute.version import package_version
from twinlab.errors import ClusterError, SchemaError, TwinlabError

if TYPE_CHECKING:
    from distributed import Client

    from twinlab.compute.handles import Handle

__all__ = ["check_client", "check_workers", "worker_address"]


def check_client(client: Any) -> None:  # noqa: ANN401
    """Raise SchemaError unless something is a running client of a Dask cluster that waits for its results."""
    try:
        from distributed import Client  # noqa: PLC0415  (an extra)
    except ImportError as error:
        msg = 'expected the package distributed for client=: pip install "twinlab-kit[cluster]"'
        raise SchemaError(msg) from error
    if not isinstance(client, Client):
        msg = f"expected client= as a distributed.Client, got {client!r}; make one with distributed.Client(cluster)"
        raise SchemaError(msg)
    if client.asynchronous:
        msg = "expected client= as a synchronous distributed.Client, got an asynchronous one; make it with asynchronous=False"
        raise SchemaError(msg)
    if client.status != "running":
        msg = f"expected client= as a running distributed.Client, got one that is {client.status}; make a new one"
        raise SchemaError(msg)


def worker_address() -> str:
    """Return the address of the worker that this runs on."""
    from distributed import get_worker  # noqa: PLC0415  (an extra)

    return str(get_worker().address)


def check_workers(client: Client, handle: Handle | None) -> None:
    """Check what each worker has; those that join later are checked by their first task.

    Raises
    ------
    ClusterError
        If one has no twinlab or another version, or can't open the twin; names the worker and what to do.
    """
    versions: dict[str, str | OSError | None] = client.run(_version_function(), on_error="return")
    # A worker that is lost meanwhile has no answer; the one that replaces it is checked by its first task.
    wrong = {
        address: one for address, one in versions.items() if not isinstance(one, OSError) and one != package_version()
    }
    if wrong:
        address, found = next(iter(wrong.items()))
        has = found if isinstance(found, str) else "none that can be imported"
        msg = (
            f"expected twinlab {package_version()} on all workers, as in this process, but worker {address} has {has}"
            f" ({len(wrong)} of {len(versions)} workers differ); install the same version there, then restart the workers"
        )
        raise ClusterError(msg)
    if handle is None:
        return
    if handle.opening is None:
        handle.check()
        return
    refusals: dict[str, str | OSError] = client.run(_refusal, handle, on_error="return")
    refusals = {address: why for address, why in refusals.items() if not isinstance(why, OSError)}
    for address, why in refusals.items():
        if why:
            msg = f"worker {address} can't open the twin ({sum(map(bool, refusals.values()))} of {len(refusals)} workers): {why}"
            raise ClusterError(msg)


def _version_function() -> Callable[[], str | None]:
    # A local function is sent as code: a worker without twinlab couldn't import another one.
    def version() -> str | None:
        import importlib  # noqa: PLC0415  (sent with its code)

        try:
            found: str = importlib.import_module("twinlab").__version__
        except ImportError:
            return None
        try:
            found = importlib.import_module("twinlab.compute.version").package_version()
        except ImportError:
            return found
        return found

    return version


def _refusal(handle: Handle) -> str:
    """Return why this process can't open a twin; empty if it can."""
    try:
        handle.check()
    except (TwinlabError, OSError, ImportError) as error:
        return f"{error}"
    return ""
