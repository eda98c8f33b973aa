"""The arrays of a run without reference counts, which would take most of the time of small functions."""

from __future__ import annotations

from numba.extending import intrinsic

__all__ = ["borrowed"]


@intrinsic
def borrowed(typing_context, arrays):  # noqa: ARG001  (numba's signature)
    """Return a named tuple of the same arrays without their owners; the caller keeps those alive."""

    def generate(context, builder, signature, arguments):
        found = arguments[0]
        for place, kind in enumerate(signature.return_type.types):
            one = context.make_array(kind)(context, builder, value=builder.extract_value(found, place))
            one.meminfo = one.meminfo.type(None)
            one.parent = one.parent.type(None)
            found = builder.insert_value(found, one._getvalue(), place)  # noqa: SLF001  (numba's own way)
        return found

    return arrays(arrays), generate
