"""An event from its dict to the compiled entry without Python's bytecode: what that takes for it is as much as a net of 16 units.

One function, in LLVM's language and on Python's own C interface, reads the values by name, writes them into the row and runs the entry. It is the same
for all models: where slab and row lie, which names there are, is data. It holds Python's lock and touches nothing where an event is not as it expects.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable
from string import Template
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from llvmlite import binding
from numpy.typing import NDArray

from streamrnn.models._features import NOT_PLAIN, Columns

__all__ = ["HasRow", "Way", "available", "native_address", "way"]


class Way(NamedTuple):
    """What a way does with an event that has all of the columns, or some of them.

    Parameters
    ----------
    code
        Address of the native code of an entry: (slab, row, n, mode).
    mode
        What it is asked to do.
    width
        How many names an event must have, where it must have all.
    target
        Where in the row the label goes; -1: there is none.
    output
        Where in the row the answer stands; -1: True is the answer.
    """

    code: int
    mode: int
    width: int
    target: int
    output: int


_CALLED: Final = (
    "PyTuple_GetItem", "PyBytes_AsString", "PyObject_Type", "PyDict_Size", "PyDict_GetItemWithError", "PyFloat_AsDouble", "PyFloat_FromDouble",
    "PyDict_Next", "PyLong_AsSsize_t", "PyErr_Occurred", "PyErr_ExceptionMatches", "PyErr_Clear", "Py_IncRef", "Py_DecRef", "memcpy",
)  # fmt: skip
"""What is called of Python, and of C: all of it is documented, none of it looks into an object."""

_WORDS: Final = ("slab", "slab_size", "row", "row_size", "blank", "n", *Way._fields)
"""What a plan begins with, a word each; the addresses of the names follow."""

_CODE: Final = """
define i1 @converted(ptr %object, ptr %into) {
  call void $Py_IncRef(ptr %object)
  %number = call double $PyFloat_AsDouble(ptr %object)
  call void $Py_DecRef(ptr %object)
  %doubt = fcmp oeq double %number, -1.0
  br i1 %doubt, label %ask, label %good
ask:
  %error = call ptr $PyErr_Occurred()
  %none = icmp eq ptr %error, null
  br i1 %none, label %good, label %bad
good:
  store double %number, ptr %into
  ret i1 1
bad:
  ret i1 0
}

define ptr @event(ptr %self, ptr %given, i64 %n_given) {
entry:
  %ret = alloca ptr
  %raised = alloca ptr
  %position = alloca i64
  %key_at = alloca ptr
  %held_at = alloca ptr
  %bytes = call ptr $PyTuple_GetItem(ptr %self, i64 0)
  %plan = call ptr $PyBytes_AsString(ptr %bytes)
$words
  %cells = inttoptr i64 %row to ptr
  %labelled = icmp sge i64 %target, 0
  %needed = select i1 %labelled, i64 2, i64 1
  %fits = icmp eq i64 %n_given, %needed
  br i1 %fits, label %look, label %otherwise
look:
  %x = load ptr, ptr %given
  %type = call ptr $PyObject_Type(ptr %x)
  call void $Py_DecRef(ptr %type)
  %type_at = ptrtoint ptr %type to i64
  %plain = icmp eq i64 %type_at, $dict
  br i1 %plain, label %which, label %otherwise
which:
  %whole_events = icmp eq i64 %blank, 0
  br i1 %whole_events, label %sized, label %begin
begin:
  %blank_cells = inttoptr i64 %blank to ptr
  %blank_size = mul i64 %n, 8
  call ptr $memcpy(ptr %cells, ptr %blank_cells, i64 %blank_size)
  %places = call ptr $PyTuple_GetItem(ptr %self, i64 1)
  store i64 0, ptr %position
  br label %step
step:
  %have = call i32 $PyDict_Next(ptr %x, ptr %position, ptr %key_at, ptr %held_at)
  %some = icmp ne i32 %have, 0
  br i1 %some, label %pair, label %label
pair:
  %key = load ptr, ptr %key_at
  %held = load ptr, ptr %held_at
  call void $Py_IncRef(ptr %key)
  call void $Py_IncRef(ptr %held)
  %column = call ptr $PyDict_GetItemWithError(ptr %places, ptr %key)
  %unknown = icmp eq ptr %column, null
  br i1 %unknown, label %drop, label %convert
convert:
  %index = call i64 $PyLong_AsSsize_t(ptr %column)
  %inside = icmp ult i64 %index, %n
  br i1 %inside, label %scatter, label %beyond
scatter:
  %column_cell = getelementptr double, ptr %cells, i64 %index
  %good_held = call i1 @converted(ptr %held, ptr %column_cell)
  call void $Py_DecRef(ptr %held)
  call void $Py_DecRef(ptr %key)
  br i1 %good_held, label %step, label %failed
beyond:
  call void $Py_DecRef(ptr %held)
  call void $Py_DecRef(ptr %key)
  br label %otherwise
drop:
  call void $Py_DecRef(ptr %held)
  call void $Py_DecRef(ptr %key)
  br label %failed
sized:
  %size = call i64 $PyDict_Size(ptr %x)
  %whole = icmp eq i64 %size, %width
  br i1 %whole, label %read, label %otherwise
read:
  %i = phi i64 [0, %sized], [%next, %put]
  %word = add i64 %i, $first
  %name_at = getelementptr i64, ptr %plan, i64 %word
  %name = load ptr, ptr %name_at
  %value = call ptr $PyDict_GetItemWithError(ptr %x, ptr %name)
  %none = icmp eq ptr %value, null
  br i1 %none, label %failed, label %found
found:
  %place = getelementptr double, ptr %cells, i64 %i
  %good = call i1 @converted(ptr %value, ptr %place)
  br i1 %good, label %put, label %failed
put:
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %read, label %label
label:
  br i1 %labelled, label %take, label %run
take:
  %y_at = getelementptr ptr, ptr %given, i64 1
  %y = load ptr, ptr %y_at
  %y_cell = getelementptr double, ptr %cells, i64 %target
  %good_y = call i1 @converted(ptr %y, ptr %y_cell)
  br i1 %good_y, label %run, label %failed
run:
  %bytes_of_slab = inttoptr i64 %slab to ptr
  %entry_code = inttoptr i64 %code to ptr
  %status = call i32 %entry_code(ptr %ret, ptr %raised,
    ptr null, ptr null, i64 %slab_size, i64 1, ptr %bytes_of_slab, i64 %slab_size, i64 1,
    ptr null, ptr null, i64 %row_size, i64 8, ptr %cells, i64 %row_size, i64 8,
    i64 1, i64 %mode)
  %stated = icmp sge i64 %output, 0
  br i1 %stated, label %state, label %done
state:
  %answer_cell = getelementptr double, ptr %cells, i64 %output
  %said = load double, ptr %answer_cell
  %result = call ptr $PyFloat_FromDouble(double %said)
  ret ptr %result
done:
  %true = inttoptr i64 $true to ptr
  call void $Py_IncRef(ptr %true)
  ret ptr %true
failed:
  %why = call ptr $PyErr_Occurred()
  %absent = icmp eq ptr %why, null
  br i1 %absent, label %otherwise, label %match
match:
  %kinds = inttoptr i64 $not_plain to ptr
  %matches = call i32 $PyErr_ExceptionMatches(ptr %kinds)
  %ours = icmp ne i32 %matches, 0
  br i1 %ours, label %clear, label %raise
clear:
  call void $PyErr_Clear()
  br label %otherwise
raise:
  ret ptr null
otherwise:
  %nothing = inttoptr i64 $none to ptr
  call void $Py_IncRef(ptr %nothing)
  ret ptr %nothing
}
"""


class HasRow(Protocol):
    """A net with a row for single events."""

    slab: NDArray[np.uint8]
    row: NDArray[np.float64]

    @property
    def keep(self) -> Callable[[], Any]:
        """A plain function that keeps its native code."""


class _MethodDef(ctypes.Structure):
    """``PyMethodDef`` of Python's C interface."""

    _fields_ = (("name", ctypes.c_char_p), ("code", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p))


_FASTCALL: Final = 0x0080
"""``METH_FASTCALL``: arguments come as a C array."""


def available() -> bool:
    """Tell whether this interpreter can run such code: CPython with its lock."""
    return sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()


def native_address(compiled: Any) -> int:
    """Return where the native code of an entry begins, past numba's own way from Python to it.

    Parameters
    ----------
    compiled
        What numba made of it.
    """
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))


def _assembly() -> str:
    """Return the code for this process: with the addresses of what it calls, and of the objects that it knows."""
    loads = [
        f"  %{name}_at = getelementptr i64, ptr %plan, i64 {i}\n  %{name} = load i64, ptr %{name}_at"
        for i, name in enumerate(_WORDS)
    ]
    called = {name: ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value for name in _CALLED}
    objects = {"dict": dict, "true": True, "none": None, "not_plain": NOT_PLAIN}
    return Template(_CODE).substitute(
        {name: f"inttoptr (i64 {address} to ptr)" for name, address in called.items()},
        words="\n".join(loads),
        first=len(_WORDS),
        **{name: id(one) for name, one in objects.items()},
    )


@functools.cache
def _method() -> tuple[Any, _MethodDef]:
    """Compile the code, once a process; return what keeps it, and its definition for Python."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    module = binding.parse_assembly(_assembly())
    machine = binding.Target.from_default_triple().create_target_machine(opt=2)
    engine = binding.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine, _MethodDef(b"event", engine.get_function_address("event"), _FASTCALL, None)


def way(known: Way, net: HasRow, columns: Columns, *, some: bool = False) -> Callable[..., Any]:
    """Return ``f(x)``, or ``f(x, y)`` where there is a target: the answer, or None where no state was touched, since x is no dict of such names and numbers.

    Parameters
    ----------
    known
        What is to be done.
    net
        Whose slab and row it works on.
    columns
        The names, in the order of the row.
    some
        Whether an event may have some of the columns alone; the others are what ``columns.blank`` says.
    """
    slab, row, blank, names = net.slab, net.row, columns.blank, tuple(columns.names)
    n = len(blank) if some else len(names)
    words = [slab.ctypes.data, slab.size, row.ctypes.data, row.size, blank.ctypes.data if some else 0, n, *known]
    plan = np.array([*words, *map(id, names)], np.int64).tobytes()
    _, method = _method()
    # What the code works on is there as long as the way is: a number may let the model grow while it is asked.
    held = plan, columns.index, slab, row, blank, names, net.keep
    made: Callable[..., Any] = _new_function(ctypes.byref(method), held, None)
    return made


_new_function: Final = ctypes.pythonapi.PyCFunction_NewEx
_new_function.restype = ctypes.py_object
_new_function.argtypes = (ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
