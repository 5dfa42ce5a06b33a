"""The structure of the code: imports go one way, class names are unique, and docstrings and comments are plain."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("components", "console", "handler", "sandbox")
# The other top-level packages that each may import. Lambda has only `handler`, and `pulumi up` has neither the
# libraries of the function nor those of the console.
ALLOWED = {
    "components": set[str](),
    "console": {"handler"},
    "handler": set[str](),
    "sandbox": {"components", "handler"},
}
# Parts of `handler/`, from the entry point down. A part may only import from rows below its own.
HANDLER_ORDER = (
    {"app"},
    {"batch"},
    {"sweep"},
    {"activation"},
    {"state", "tiktok"},
    {"events", "cleaning"},
    {"reasons"},
    {"settings", "metrics"},
    {"model"},
    {"errors"},
    {"report_codes", "clock"},
)
_LEVEL = {part: level for level, parts in enumerate(HANDLER_ORDER) for part in parts}
_UNWANTED_START = re.compile(r"(what|whether|who|whom|whose|how|as|of)\b", re.IGNORECASE)
# Words that the code avoids, and the plain words for them.
_PLAIN_WORDS = {
    "afresh": "again",
    "anew": "again",
    "at once": "immediately",
    "begun": "started",
    "by hand": "manually",
    "goes on": "continues",
    "hence": "so",
    "stands for": "is a placeholder for",
    "trouble": "error",
    "whereby": "by which",
}
_UNWANTED_WORDS = re.compile(rf"\b({'|'.join(_PLAIN_WORDS)})\b", re.IGNORECASE)

Graph = dict[str, set[str]]


def sources() -> dict[str, str]:
    """Return the source of every module, by module name."""
    found = {}
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text()
    return found


def import_graph(modules: Mapping[str, str]) -> Graph:
    """Return the imports of each module, limited to `modules`; includes type-only imports and those in functions."""
    packages = {name.rpartition(".")[0] for name in modules} | {name for name in modules if "." not in name}
    graph: Graph = {}
    for name, source in modules.items():
        package = name if name in packages else name.rpartition(".")[0]
        imported = {
            next((each for each in candidates if each in modules), "") for candidates in _imported(source, package)
        }
        graph[name] = imported - {name, ""}
    return graph


def _imported(source: str, package: str) -> Iterator[tuple[str, ...]]:
    """Yield, for each imported name, the modules that it can refer to, the most specific first."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name,) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((f"{base}.{alias.name}", base) for alias in node.names)


def _without_parents(graph: Graph) -> Graph:
    """Remove imports of a module's own parent packages: Python imports these before the module in any case."""
    return {name: {each for each in imported if not name.startswith(f"{each}.")} for name, imported in graph.items()}


def _by_folder(graph: Graph) -> Graph:
    folders: Graph = {}
    for name, imported in graph.items():
        folder = _folder(name)
        folders.setdefault(folder, set()).update(_folder(each) for each in imported)
        folders[folder].discard(folder)
    return folders


def _folder(name: str) -> str:
    """Return the package of a module, or the module itself if it lies directly in a top-level package."""
    parts = name.split(".")
    return ".".join(parts[:2]) if len(parts) > 1 else name


def cycle(graph: Graph) -> list[str]:
    """Return a cycle in the graph, or an empty list."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def forbidden(graph: Graph) -> list[str]:
    """Return the imports that break the order of packages, as `importer -> imported`."""
    found = []
    for name, imported in sorted(graph.items()):
        top = name.partition(".")[0]
        for each in sorted(imported):
            other = each.partition(".")[0]
            if other != top:
                allowed = other in ALLOWED[top]
            elif top == "handler" and each != "handler" and name != "handler":
                part, other_part = name.split(".")[1], each.split(".")[1]
                allowed = part == other_part or _LEVEL.get(part, -1) < _LEVEL.get(other_part, -1)
            else:
                allowed = True
            if not allowed:
                found.append(f"{name} -> {each}")
    return found


MODULES = sources()
GRAPH = _without_parents(import_graph(MODULES))


def test_modules_import_one_another_without_cycles() -> None:
    assert cycle(GRAPH) == []


def test_packages_import_one_another_without_cycles() -> None:
    assert cycle(_by_folder(GRAPH)) == []


def test_every_part_of_the_handler_has_a_position_in_the_import_order() -> None:
    parts = {name.split(".")[1] for name in MODULES if name.startswith("handler.")}
    assert parts <= _LEVEL.keys()


def test_imports_go_one_way() -> None:
    assert forbidden(GRAPH) == []


@pytest.mark.processes
@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("components.alarms", "from handler import errors"),
        ("handler.app", "import components.alarms"),
        ("handler.activation.order", "from sandbox.processes import stop_with_parent"),
        ("handler.tiktok.client", "from console.cli import main"),
        ("handler.errors", "from handler.model import Upload"),
        ("handler.cleaning.rows", "def late():\n    from ..state import reports"),
        ("handler.state.ledger", "from handler.tiktok.client import TikTokClient"),
        ("handler.events.keys", "from handler.activation.advance import advance"),
    ],
)
def test_a_forbidden_import_is_found(module: str, line: str) -> None:
    changed = {**MODULES, module: f"{MODULES[module]}\n{line}\n"}
    (found,) = set(forbidden(_without_parents(import_graph(changed)))) - set(forbidden(GRAPH))
    assert found.startswith(f"{module} -> ")


def test_a_cycle_is_found() -> None:
    modules = {
        "handler": "",
        "handler.a": "",
        "handler.a.one": "from ..b import two",
        "handler.b": "",
        "handler.b.two": "if TYPE_CHECKING:\n    from handler.a.one import x",
        "handler.b.three": "from . import two",
    }
    graph = _without_parents(import_graph(modules))
    assert set(cycle(graph)) == {"handler.a.one", "handler.b.two"}
    assert set(cycle(_by_folder(graph))) == {"handler.a", "handler.b"}


@cache
def _definitions(source: str) -> list[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]


def _docstrings(source: str) -> list[str]:
    docstrings = [ast.get_docstring(node) for node in _definitions(source)]
    return [text for text in docstrings if text]


def unwanted_docstrings(source: str) -> list[str]:
    """Return the docstrings with an unwanted first word, or whose summary does not end with a period or colon."""
    return [
        text
        for text in _docstrings(source)
        if _UNWANTED_START.match(text) or not text.partition("\n\n")[0].endswith((".", ":"))
    ]


def unwanted_words(source: str) -> list[str]:
    """Return the unwanted words in docstrings and comments, each with its replacement."""
    if not _UNWANTED_WORDS.search(source):  # tokenizing every file would take seconds
        return []
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    words = [word for text in [*_docstrings(source), *comments] for word in _UNWANTED_WORDS.findall(text)]
    return [f"{word} -> {_PLAIN_WORDS[word.lower()]}" for word in words]


SOURCES = {
    str(path.relative_to(ROOT)): path.read_text()
    for folder in (*PACKAGES, "examples", "plugin", "tests")
    for path in (ROOT / folder).rglob("*.py")
}


def test_docstrings_start_with_a_verb_or_a_noun_and_end_with_a_period() -> None:
    found = {name: unwanted_docstrings(source) for name, source in SOURCES.items()}
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_docstrings_and_comments_use_plain_words() -> None:
    found = {name: unwanted_words(source) for name, source in SOURCES.items()}
    assert {name: words for name, words in found.items() if words} == {}


def test_an_unwanted_docstring_is_found() -> None:
    source = '"""How it works."""\n\ndef f():\n    """Return 1"""\n\nclass A:\n    """Assets of a folder."""\n'
    assert unwanted_docstrings(source) == ["How it works.", "Return 1"]


def test_an_unwanted_word_is_found() -> None:
    source = '"""Start anew."""\n# It was begun.\nx = "anew"\n'
    assert unwanted_words(source) == ["anew -> again", "begun -> started"]


def shared_class_names(modules: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the class names that are defined more than once, each with the modules that define it."""
    found: dict[str, list[str]] = {}
    for module, source in modules.items():
        for node in _definitions(source):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(module)
    return {name: places for name, places in found.items() if len(places) > 1}


def test_no_two_classes_share_a_name() -> None:
    assert (
        shared_class_names({name: source for name, source in SOURCES.items() if not name.startswith("examples/")}) == {}
    )


def test_a_shared_class_name_is_found() -> None:
    assert shared_class_names({"a": "class X: ...", "b": "class X: ...\nclass Y: ..."}) == {"X": ["a", "b"]}
