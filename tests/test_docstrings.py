"""Docstrings: every public callable has one, it documents exceptions, and its examples are correct."""

from __future__ import annotations

import ast
import doctest
import importlib
from collections.abc import Iterator

import pytest

from tests.test_structure import MODULES

WITH_EXAMPLES = sorted(name for name, source in MODULES.items() if ">>> " in source)
# The console turns the exceptions of its commands into a sentence and an exit code.
COMMANDS = "console.commands."


def public_functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public functions of a module and the public methods of its public classes."""
    bodies = [ast.parse(source).body]
    while bodies:
        for node in bodies.pop():
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                bodies.append(node.body)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                yield node


def raises_undocumented(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return true if a function raises an exception other than AssertionError, but its docstring has no "raise"."""
    raised = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise) and node.exc]
    to_document = [exc for exc in raised if "AssertionError" not in ast.unparse(exc)]
    return bool(to_document) and "raise" not in (ast.get_docstring(function) or "").lower()


def test_every_public_callable_has_a_docstring_that_documents_exceptions() -> None:
    found = []
    for name, source in MODULES.items():
        for function in public_functions(source):
            undocumented = raises_undocumented(function) and not name.startswith((COMMANDS, "sandbox."))
            if not ast.get_docstring(function) or undocumented:
                found.append(f"{name}.{function.name}")
    assert found == []


def test_an_undocumented_exception_is_found() -> None:
    (function,) = public_functions('def f():\n    """Do."""\n    raise ValueError("x")\n')
    assert raises_undocumented(function)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings_are_correct(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert (failed, tried > 0) == (0, True)
