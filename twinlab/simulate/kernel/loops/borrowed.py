"""The arrays of a run as one pointer: to a table of where each array is and how long.

Numba passes an array as seven values and counts its owners. With fifty arrays, that makes a call of a small function dear, and compiling it
dearer. Functions of the loop get three pointers instead, and index without negative indices.
"""

from __future__ import annotations

import operator
from typing import Any

from numba.core import cgutils, types
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # numba depends on llvmlite, where it is from
from numba.core.datamodel import models
from numba.core.imputils import impl_ret_untracked
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_getattr, infer_global, signature
from numba.extending import intrinsic, lower_builtin, lower_getattr_generic, register_model

__all__ = ["borrowed", "prefetch"]

_BYTE = ir.IntType(8)
_SIZE = ir.IntType(64)
_POINTER = _BYTE.as_pointer()
#: Where an array begins, and its numbers of rows and columns.
_ENTRY = ir.LiteralStructType([_POINTER, _SIZE, _SIZE])


class Rows(types.Type):
    """An array of one or two dims that somebody else owns."""

    def __init__(self, dtype: types.Type, ndim: int) -> None:
        self.dtype, self.ndim = dtype, ndim
        super().__init__(name=f"Rows({dtype}, {ndim})")


class Borrowed(types.Type):
    """The arrays of a named tuple."""

    def __init__(self, fields: tuple[tuple[str, Rows], ...]) -> None:
        self.fields = dict(fields)
        super().__init__(name=f"Borrowed({', '.join(f'{name}: {rows}' for name, rows in fields)})")


@register_model(Rows)
class _RowsModel(models.StructModel):
    def __init__(self, manager: Any, kind: Rows) -> None:
        super().__init__(manager, kind, [("data", types.voidptr), ("size", types.intp), ("columns", types.intp)])


@register_model(Borrowed)
class _BorrowedModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Borrowed) -> None:
        super().__init__(manager, kind, _POINTER)


@infer_getattr
class _BorrowedAttributes(AttributeTemplate):
    key = Borrowed

    def generic_resolve(self, kind: Borrowed, name: str) -> Rows | None:  # type: ignore[override]
        return kind.fields.get(name)


@infer_getattr
class _RowsAttributes(AttributeTemplate):
    key = Rows

    def resolve_size(self, kind: Rows) -> types.Type:  # noqa: ARG002  (numba's signature)
        return types.intp


@infer_global(operator.getitem)
class _RowsGet(AbstractTemplate):
    def generic(self, arguments: Any, keywords: Any) -> Any:  # noqa: ARG002  (numba's signature)
        rows, index = arguments
        return signature(rows.dtype, rows, index) if isinstance(rows, Rows) else None


@infer_global(operator.setitem)
class _RowsSet(AbstractTemplate):
    def generic(self, arguments: Any, keywords: Any) -> Any:  # noqa: ARG002  (numba's signature)
        rows, index, value = arguments
        if not isinstance(rows, Rows):
            return None
        return signature(types.none, rows, index, value if isinstance(rows.dtype, types.Record) else rows.dtype)


@lower_getattr_generic(Borrowed)
def _lower_field(context: Any, builder: Any, kind: Borrowed, value: Any, name: str) -> Any:
    """Return an array's entry. Entries don't change during a call, which LLVM can't know of a table in memory."""
    place = list(kind.fields).index(name)
    entry = builder.gep(builder.bitcast(value, _ENTRY.as_pointer()), [ir.Constant(_SIZE, place)])
    rows = cgutils.create_struct_proxy(kind.fields[name])(context, builder)
    for member, field in enumerate(("data", "size", "columns")):
        loaded = builder.load(builder.gep(entry, [_SIZE(0), ir.IntType(32)(member)]))
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        setattr(rows, field, loaded)
    return rows._getvalue()  # noqa: SLF001  (numba's own way)


@lower_getattr_generic(Rows)
def _lower_size(context: Any, builder: Any, kind: Rows, value: Any, name: str) -> Any:
    return getattr(cgutils.create_struct_proxy(kind)(context, builder, value=value), name)


def _place(context: Any, builder: Any, kind: Rows, value: Any, index_kind: Any, index: Any) -> Any:
    """Return the address of an element, for an index or as many as dims."""
    rows = cgutils.create_struct_proxy(kind)(context, builder, value=value)
    kinds, indices = [index_kind], [index]
    if kind.ndim == 2:
        kinds, indices = list(index_kind.types), cgutils.unpack_tuple(builder, index)
    numbers = [context.cast(builder, one, one_kind, types.intp) for one, one_kind in zip(indices, kinds, strict=True)]
    assert len(numbers) == kind.ndim
    at = numbers[0]
    if kind.ndim == 2:
        at = builder.add(builder.mul(at, rows.columns, flags=["nsw"]), numbers[1], flags=["nsw"])
    data = context.get_data_type(kind.dtype)
    return builder.gep(builder.bitcast(rows.data, data.as_pointer()), [at], inbounds=True)


@lower_builtin(operator.getitem, Rows, types.Any)
def _lower_get(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    place = _place(context, builder, sig.args[0], arguments[0], sig.args[1], arguments[1])
    # Of records the address: their fields are read and written in place.
    found = context.unpack_value(builder, sig.return_type, place)
    return impl_ret_untracked(context, builder, sig.return_type, found)


@lower_builtin(operator.setitem, Rows, types.Any, types.Any)
def _lower_set(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    rows, index, value = arguments
    place = _place(context, builder, sig.args[0], rows, sig.args[1], index)
    if isinstance(sig.args[0].dtype, types.Record):
        cgutils.memcpy(builder, place, value, ir.Constant(_SIZE, 1))
    else:
        context.pack_value(builder, sig.args[0].dtype, value, place)
    return context.get_dummy_value()


@intrinsic
def borrowed(typing_context, arrays):  # noqa: ARG001  (numba's signature)
    """Return the arrays of a named tuple as one pointer, valid in this call; the caller keeps the arrays alive."""
    fields = tuple((name, Rows(kind.dtype, kind.ndim)) for name, kind in zip(arrays.fields, arrays.types, strict=True))

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        table = cgutils.alloca_once(builder, _ENTRY, size=len(fields))
        for place, kind in enumerate(arrays.types):
            one = context.make_array(kind)(context, builder, value=builder.extract_value(arguments[0], place))
            shape = cgutils.unpack_tuple(builder, one.shape, kind.ndim)
            members = [builder.bitcast(one.data, _POINTER), shape[0], shape[-1]]
            entry = builder.gep(table, [ir.Constant(_SIZE, place)])
            for member, found in enumerate(members):
                builder.store(found, builder.gep(entry, [_SIZE(0), ir.IntType(32)(member)]))
        return builder.bitcast(table, _POINTER)

    return Borrowed(fields)(arrays), generate


@intrinsic
def prefetch(typing_context, rows, index):  # noqa: ARG001
    """Fetch an element into the cache, for a use soon; an index out of range does no harm."""

    def generate(context, builder, signature, arguments):
        place = _place(context, builder, signature.args[0], arguments[0], signature.args[1], arguments[1])
        kind = ir.FunctionType(ir.VoidType(), [_POINTER, *[ir.IntType(32)] * 3])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        number = ir.IntType(32)
        builder.call(function, [builder.bitcast(place, _POINTER), number(1), number(3), number(1)])
        return context.get_dummy_value()

    return types.none(rows, index), generate
