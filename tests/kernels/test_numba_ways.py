"""Our shorter ways through numba: the same answers as Python's and numba's own, and nothing of it left behind."""

from __future__ import annotations

import itertools
import math
import re
import threading

import numba
import numpy as np
import pytest
from llvmlite import ir as llvm
from numba.core import bytecode, byteflow, codegen, event, interpreter, ir, postproc, ssa, typeinfer, types, typing
from numba.core.registry import cpu_target
from numba.core.typing import templates
from numba.core.typing.context import BaseContext

from streamrnn.kernels.compile import ENTRY, INTERPRETED, OPTIONS, apart, entry, kernel
from streamrnn.kernels.net import words
from streamrnn.kernels.numba_builder import KernelBuilder
from streamrnn.kernels.numba_linking import plain_loops
from streamrnn.kernels.numba_typing import quick_typing
from streamrnn.kernels.prefetch import fetch

pytestmark = pytest.mark.skipif(INTERPRETED, reason="how code is compiled")


@kernel
def part(x, start, stop, which):
    """Cut x in each way that Python has; return what is left, summed, and how much."""
    cut = x[start:]
    if which == 0:
        cut = x[start:stop]
    elif which == 1:
        cut = x[1:][:stop]
    elif which == 2:
        cut = x[-3:-1]
    total = 0.0
    for i in range(cut.size):
        total += cut[i] * (i + 1)
    return total, cut.size


def fetching(x, places):
    """Ask for the lines of some places."""
    for place in places:
        fetch(x, place)


def test_lines_are_asked_for_and_nothing_is_changed():
    """One instruction of the processor for each place, within the array and beyond it: none of them reads or writes a number, none can fail."""
    x, code = np.arange(64.0), numba.njit(fetching, **OPTIONS)

    code(x, np.array([0, 7, 63, 10**9, -(10**12)]))

    np.testing.assert_array_equal(x, np.arange(64.0))
    assert "prefetch" in next(iter(code.inspect_asm().values()))


def slices(x, out, bounds):
    """Write, for each pair of bounds, all that ``part`` makes of it."""
    for k in range(bounds.size // 2):
        for which in range(4):
            total, size = part(x, bounds[2 * k], bounds[2 * k + 1], which)
            out[8 * k + 2 * which] = total
            out[8 * k + 2 * which + 1] = size


def test_slices_are_cut_as_python_cuts_them():
    """Bounds within the array and behind its end, none, and constants from the end: the same part of the array."""
    bounds = np.array([(start, stop) for start in range(6) for stop in range(start, 8)]).ravel()
    x = np.arange(1.0, 6.0)
    compiled, python = np.zeros(4 * bounds.size), np.zeros(4 * bounds.size)

    entry(slices)(x, compiled, bounds)
    for k, which in itertools.product(range(bounds.size // 2), range(4)):
        python[8 * k + 2 * which : 8 * k + 2 * which + 2] = part.py_func(x, bounds[2 * k], bounds[2 * k + 1], which)

    np.testing.assert_array_equal(compiled, python)


@kernel
def lowest(x):
    """Stand two calls below what is called."""
    return x * x + 1.0


@kernel
def middle(x, n):
    """Call another kernel, some times."""
    for _ in range(n):
        x = lowest(x)
    return x


@pytest.mark.parametrize("earlier", [False, True])
def test_kernels_run_inside_functions_of_numba_too(earlier):
    """A function that numba compiles its own way may call kernels that call kernels, whether an entry has compiled them before or not."""

    def outer(x):
        return middle(x, 3)

    square = lambda x: x * x + 1.0  # noqa: E731
    expected = square(square(square(0.5)))
    if earlier:
        assert entry(outer)(0.5) == expected
    assert numba.njit(**OPTIONS)(outer)(0.5) == expected


def test_a_function_of_numba_does_not_call_into_an_entry():
    """Where an entry keeps a long kernel as a function, LLVM gives it other arguments there: it is not found by its name from outside."""
    loops = "".join(f"    for i in range(n):\n        s += x[i] / (s + {k}.0)\n" for k in range(1, 80))
    scope = {}
    exec(f"def long(x, n):\n    s = 0.0\n{loops}    return s", scope)
    python, long = scope["long"], kernel(scope["long"])

    def outer(x, n):
        return long(x, n) + long(x, n + 1)

    x = np.array([3.0, 5.0, 7.0])
    expected = python(x, 2) + python(x, 3)
    np.testing.assert_allclose(entry(outer)(x, 2), expected, rtol=1e-9)
    np.testing.assert_allclose(numba.njit(**OPTIONS)(outer)(x, 2), expected, rtol=1e-9)


def indices(x, n, flags, out):
    """Set and get items by signed and unsigned places, constants from either end, and variables that change, which count from the beginning."""
    x[-1] = 7
    x[np.uint64(1)] = True
    place = n
    for i in range(n):
        place -= 1
        flags[i] = x[place] > 2.0
        out[i] = x[place] + (1.0 if flags[i] else 0.5)
    one = slice(1, n)
    for i in range(x[one].size):
        out[n + i] = x[one][i] * (one.start + one.stop)
    every = x[::2]
    out[-1] = every[-1] + every.size
    shape = out[1:n].shape
    return shape[0], out[n:][0]


def test_items_are_those_of_python():
    """Places from either end, of every type of index, booleans, slices with names and with steps: the same items, set and got."""
    results = []
    for run in (entry(indices), numba.njit(**OPTIONS)(indices), indices):
        x, flags, out = np.arange(5.0), np.zeros(5, np.bool_), np.zeros(9)
        results.append((run(x, 5, flags, out), x.tolist(), flags.tolist(), out.tolist()))

    assert results[0] == results[1] == results[2]


def loops(bounds, out):
    """Count through ranges of every kind, and leave them in every way."""
    n = 0
    for k in range(bounds.size // 2):
        start, stop = bounds[2 * k], bounds[2 * k + 1]
        seen, last = 0, -99
        for i in range(start, stop):
            if i == 3:
                continue
            seen += i
            last = i
        for i in range(start, stop, 4):
            seen = 3 * seen + i
            if seen > 1000:
                break
            for j in range(i):
                seen += j
        else:
            seen += 7
        for i in range(stop, start, -3):
            seen = 2 * seen - i
        for i in range(np.uint64(stop + 9)):
            seen += int(i)
        three = range(stop)
        for i in three:
            for j in three:
                seen += i - j
        out[n], out[n + 1] = seen + len(range(start, stop, 2)), last
        n += 2


def test_loops_take_the_turns_of_python():
    """Ranges that are empty, go down, have steps or names, are nested, left early or to the end: the same turns."""
    bounds = np.array(list(itertools.product(range(-4, 6), repeat=2))).ravel()
    results = []
    for run in (entry(loops), loops):
        out = np.zeros(bounds.size, np.int64)
        run(bounds, out)
        results.append(out.tolist())

    assert results[0] == results[1]


def changing(x, n, out):
    """Let variables change on ways that part and meet, in loops and out of them, under names that are used again."""
    a, b, c = 0, 1.0, n
    for i in range(x.size):
        if x[i] > 0.5:
            a, b = i, b + x[i]
        elif x[i] < -0.5:
            b, c = b - x[i], c + a
        else:
            while c > 0:
                c -= 2
            a = c
        d = a + b if c % 2 == 0 else b
        out[i] = d * (1 if (a > 2 and b > 1.0) or c < 0 else 2)
    for c in range(3):
        out[c] += c
    return a, b, c


def test_variables_change_as_those_of_python():
    """Renaming looks at the blocks alone that hold a variable: the same values on every way."""
    results = []
    for run in (entry(changing), numba.njit(**OPTIONS)(changing), changing):
        out = np.zeros(9)
        results.append((run(np.array([0.1, 0.9, -0.9, 0.2, 0.7, -3.0, 2.0, 0.0, -1.0]), 7, out), out.tolist()))

    assert results[0] == results[1] == results[2]


def extremes(x, i, u, out):
    """Take the least, the largest and whole numbers of values of several types."""
    out[0] = min(x[0], x[1])
    out[1] = max(x[0], i, u)
    out[2] = min(np.float32(x[0]), x[1], i)
    out[3] = max(np.int32(i), np.uint32(u))
    out[4] = int(x[1]) + int(i)
    out[5] = min(True, i)


def test_least_and_largest_are_those_of_numba():
    """``min``, ``max`` and ``int`` are compiled as kernels are: in our entries, and in numba's functions of the same types behind them."""
    results = []
    for run in (entry(extremes), numba.njit(**OPTIONS)(extremes), extremes):
        out = np.zeros(6)
        run(np.array([2.5, -1.25]), 3, np.uint64(4), out)
        results.append(out.tolist())

    assert results[0] == results[1] == results[2]


@kernel
def refuse(x):
    """Raise where x is below 0; return nothing."""
    if x < 0.0:
        raise ValueError("below 0")


@kernel
def halve(x, out):
    """Write a half of x, through a kernel that may raise and returns nothing."""
    refuse(x)
    out[0] = x / 2.0


@kernel
def last(x):
    """Return two values, or what the one before was."""
    return (x, x + 1.0) if x > 1.0 else (0.0, x)


def calling(x, out):
    """Call kernels that raise, return nothing or several values."""
    halve(x, out)
    out[1], out[2] = last(x)
    return out[0] if x > 2.0 else None


@pytest.mark.parametrize(
    ("x", "returned", "written"),
    [(3.0, 1.5, [1.5, 3.0, 4.0]), (1.0, None, [0.5, 0.0, 1.0]), (0.0, None, [0.0, 0.0, 0.0])],
)
def test_calls_return_what_python_returns(x, returned, written):
    """Nothing, several values, or a value that may be missing."""
    out = np.full(3, np.nan)

    assert entry(calling)(x, out) == returned
    assert out.tolist() == written


def test_what_a_kernel_raises_reaches_the_caller():
    """A kernel that raises, two calls below its entry: those that call it hand it on, and nothing is written behind it."""
    out = np.zeros(3)
    run = entry(calling)
    with pytest.raises(ValueError, match="below 0"):
        run(-1.0, out)

    assert out.tolist() == [0.0, 0.0, 0.0]
    assert run(3.0, out) == 1.5


@kernel
def doubled(x):
    """Return twice x, of its own type."""
    return x + x


def widening(n, out):
    """Hand on a number that is whole at first, and to which parts are added; take numbers of a module, whole and not."""
    a = 1
    for i in range(n):
        a = doubled(a) * 0.75 if i % 2 else doubled(a)
    out[0], out[1], out[2] = a, words.FILL * 0.5, math.pi + words.WINDOW


def test_types_of_calls_follow_what_they_are_called_with():
    """A call whose argument becomes another type in a loop is looked at again; numbers of modules are what they are in Python."""
    out = np.zeros(3)
    entry(widening)(5, out)

    assert out.tolist() == [2**5 * 0.75**2, words.FILL * 0.5, math.pi + words.WINDOW]


def guarded(x):
    """Hold what a kernel never holds: a ``try``, a list, a dict."""
    found = [value for value in x if value > 0.0]
    try:
        last = {"sum": found[0], "size": len(found)}
        found.extend([last["sum"], float(last["size"])])
    except Exception:  # noqa: BLE001
        return -1.0
    return sum(found)


@pytest.mark.parametrize("x", [[1.0, -2.0, 3.0], [4.0]])
def test_what_kernels_never_hold_is_compiled_as_ever(x):
    """While entries are compiled, another function with ``try``, lists and dicts is numba's own: the shorter ways see that they are not for it."""
    with quick_typing():
        compiled = numba.njit(guarded)(np.array(x))

    assert compiled == guarded(np.array(x))


@pytest.fixture
def builder():
    """What writes a function that takes a number and an array's structure."""
    pair = llvm.LiteralStructType([llvm.IntType(64), llvm.ArrayType(llvm.IntType(64), 2)])
    function = llvm.Function(llvm.Module(), llvm.FunctionType(llvm.VoidType(), [llvm.IntType(64), pair]), "f")
    return KernelBuilder(function.append_basic_block())


def test_what_was_put_into_a_structure_is_known(builder):
    """A part, a part of a part, and what was there before: no instruction where the value is known, one where it is not."""
    number, pair = builder.function.args
    made = builder.insert_value(builder.insert_value(pair, number, 0), number, [1, 0])

    assert builder.extract_value(made, 0) is number
    assert builder.extract_value(made, [1, 0]) is number
    assert builder.extract_value(builder.insert_value(made, llvm.Constant(made.type.elements[1], None), 1), 0) is number
    assert str(builder.extract_value(made, (1, 1))).strip().endswith(f"{pair.type} {pair.get_reference()}, 1, 1")
    assert builder.extract_value(made, 1).aggregate is made  # one half of it is known
    whole = builder.insert_value(made, builder.extract_value(pair, 1), 1)
    assert builder.extract_value(whole, [1, 0]).aggregate.aggregate is pair


def test_structures_that_nothing_uses_are_not_made(builder):
    """What a value that is used is made of stays, in its block, also where only a phi uses it; the rest goes."""
    number, pair = builder.function.args
    kept = builder.insert_value(builder.insert_value(pair, number, 0), number, [1, 0])
    builder.insert_value(builder.insert_value(kept, number, 0), number, 0)
    first, second = builder.block, builder.append_basic_block()
    builder.branch(second)
    builder.position_at_end(second)
    builder.phi(pair.type).add_incoming(kept, first)

    builder.sweep()

    assert [one.opname for one in first.instructions] == ["insertvalue", "insertvalue", "br"]
    assert first.instructions[1] is kept


def llvm_of(function, *arguments):
    """Return the code that LLVM has made of an entry, which is run once."""
    compiled = numba.njit(**ENTRY)(function)
    compiled(*arguments)
    [text] = compiled.inspect_llvm().values()
    return text


def test_kernels_are_in_their_entry():
    """No code is left for callers that there are not, and all of it may use the widest vectors."""

    def whole(x):
        return middle(x, 3)

    text = llvm_of(whole, 0.5)

    defined = re.findall(r"^define .*", text, re.MULTILINE)
    assert 0 < len([line for line in defined if "whole" in line]) == len(defined)
    assert '"prefer-vector-width"="512"' in text


@apart
def step_back(x, y, into, also):
    """Write two arrays from two others."""
    for i in range(16):
        into[i] = x[i] * (1.0 - y[i])
        also[i] = y[i] * (1.0 - x[i]) * into[i]


def test_a_few_numbers_that_lie_apart_are_one_vector():
    """What is computed for sixteen numbers is computed for several at once, from four arrays, and as Python does."""

    def whole(x):
        step_back(x[:16], x[16:32], x[32:48], x[48:])

    x, expected = np.linspace(0.0, 1.0, 64), np.linspace(0.0, 1.0, 64)
    step_back.py_func(expected[:16], expected[16:32], expected[32:48], expected[48:])

    text = llvm_of(whole, x)

    np.testing.assert_allclose(x, expected, rtol=1e-15)
    assert re.search(r"fmul [a-z ]*<\d+ x double>", text)


def test_llvm_is_as_it_was_behind_us():
    """Loops are LLVM's matter for all other code, before and afterwards."""
    code = cpu_target.target_context.codegen()
    loops = numba.njit("f8(f8[::1], f8[::1], i8, i8)")(loop).inspect_llvm()
    [text] = loops.values()

    def made() -> str:
        module = codegen.ll.parse_assembly(text)
        passes, builder = code._module_pass_manager()
        passes.run(module, builder)
        return code._tm.emit_assembly(module)

    before = made()
    with plain_loops():
        inside = made()

    assert inside != before == made()


def loop(x, y, start, step):
    """Walk through two arrays in steps."""
    total = 0.0
    for i in range(start, x.size):
        total += x[i * step] * y[3 * i + 1]
        y[i * step + start] = total
    return total


def test_an_error_names_function_and_line():
    """A kernel that numba cannot compile: the error is numba's, and says where."""

    def wrong(x):
        return x.no_such_attribute

    with pytest.raises(numba.core.errors.TypingError, match=r"(?s)no_such_attribute.*test_numba_ways.py"):
        entry(wrong)(np.zeros(3))


PATCHED = (
    (BaseContext, "refresh"),
    (BaseContext, "resolve_getattr"),
    (numba.types.Function, "get_call_type"),
    (bytecode, "_unpack_opargs"),
    (byteflow, "_logger"),
    (byteflow.Flow, "_run_handle_exception"),
    (event, "start_event"),
    (interpreter.Interpreter, "op_LOAD_ATTR"),
    (interpreter.Interpreter, "post_process"),
    (ir.Stmt, "list_vars"),
    (postproc.PostProcessor, "run"),
    (ssa, "_run_ssa"),
    (ssa, "_run_block_rewrite"),
    (templates._OverloadFunctionTemplate, "_get_jit_decorator"),
    (typeinfer, "new_error_context"),
    (typeinfer.CallConstraint, "resolve"),
    (type(types.Type), "__instancecheck__"),
)


@pytest.mark.parametrize("error", [None, ValueError])
def test_numba_is_as_it_was_behind_us(error):
    """Whatever else this process compiles is compiled by numba alone, also behind an error of ours."""
    before = [getattr(owner, name) for owner, name in PATCHED]
    try:
        with quick_typing():
            assert all(getattr(owner, name) is not one for (owner, name), one in zip(PATCHED, before, strict=True))
            if error:
                raise error
    except ValueError:
        pass

    assert [getattr(owner, name) for owner, name in PATCHED] == before


def test_two_threads_that_compile_leave_numba_as_it_was():
    """Entries that are first called at the same moment: each is right, and none takes the other's ways for numba's own."""
    before = [getattr(owner, name) for owner, name in PATCHED]
    results: list[float] = []

    def compiles(n: int) -> None:
        results.append(entry(lambda x: x[0] + n)(np.ones(1)))

    threads = [threading.Thread(target=compiles, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == [1.0, 2.0, 3.0, 4.0]
    assert [getattr(owner, name) for owner, name in PATCHED] == before


def test_what_is_added_is_seen():
    """Into whichever registry of a context: numba puts its intrinsics into the first."""

    def added(context, builder, sig, args):
        """Never called."""

    context = cpu_target.target_context
    with quick_typing():
        context.refresh()
        first = next(iter(context._registries))
        first.lower(added, types.int64)(added)
        context.refresh()

        assert context.get_function(added, typing.signature(types.int64, types.int64))
