"""Style is a test: import direction, docstrings that tell the truth, sizes, and words that do not belong here."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("runtime", "web", "console", "actors", "storage", "system", "protocol", "core", "sim", "bench")
#: The arrow points inward: what each layer may import of ours, besides itself.
MAY_IMPORT = {
    "core": set(),
    "protocol": {"core"},
    "system": {"core", "protocol"},
    "storage": {"core", "protocol"},
    "actors": {"core", "protocol", "system", "storage"},
    "web": {"core", "protocol", "system", "storage", "actors"},
    "console": {"core", "protocol", "system", "storage", "actors"},
    "runtime": {"core", "protocol", "system", "storage", "actors", "web", "console", "sim"},
    "sim": set(),
    "bench": set(LAYERS),
}
#: What the inner two layers may import of others, besides the standard library.
PURE_IMPORTS = {
    "core": {"msgspec", "sortedcontainers"},
    "protocol": {"msgpack", "msgspec", "sortedcontainers", "websockets"},
}
#: websockets without its sans-I/O part is a network library.
SANS_IO = re.compile(
    r"websockets\.(server|client|protocol|frames|exceptions|http11|headers|extensions|typing|datastructures|uri)\b"
)
CLOCK_AND_DICE = {
    ("time", "time"), ("time", "monotonic"), ("datetime", "now"), ("datetime", "utcnow"), ("random", "random"),
    ("random", "randint"), ("random", "choice"), ("uuid", "uuid4"), ("os", "urandom"), ("secrets", "token_hex"),
    ("secrets", "token_urlsafe"), ("asyncio", "sleep"),
}  # fmt: skip
FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
LINE_CHARS_MAX = 120
#: Split, so that this file passes its own test.
UNFINISHED = re.compile(
    r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b|raise NotImplemented" + r"Error|not implemented" + r" yet"
)
FOREIGN = re.compile(r"(?<![\w.])/(?:work|root|home)/[\w.-]+/|file://" + r"/opt/")
BINARY = {".png", ".svg", ".ico", ".woff2", ".webp", ".jpg"}


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the project; outside a git checkout, every file that is not made."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.split("\0") if listed.returncode == 0 else []
    found = [ROOT / name for name in names if name] or [
        path
        for path in ROOT.rglob("*")
        if not any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(ROOT).parts)
    ]
    return tuple(path for path in sorted(found) if path.is_file())


def python_files(*layers: str) -> list[Path]:
    """Python files of these layers (all layers when none is named)."""
    wanted = layers or LAYERS
    return [path for path in tracked() if path.suffix == ".py" and layer_of(path) in wanted]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def at(path: Path, node: ast.AST | int) -> str:
    """Where to look."""
    return f"{path.relative_to(ROOT)}:{node if isinstance(node, int) else node.lineno}"


def imports(path: Path) -> list[tuple[ast.AST, str]]:
    """Every module a file imports, wherever in it. Type-only imports count: they are knowledge too."""
    found: list[tuple[ast.AST, str]] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += [(node, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node, node.module or ""))
    return found


def test_imports_point_inward():
    wrong = [
        f"{at(path, node)}: {layer_of(path)} imports {name}"
        for path in python_files()
        for node, name in imports(path)
        if (other := name.partition(".")[0]) in LAYERS
        and other != layer_of(path)
        and other not in MAY_IMPORT[layer_of(path)]
    ]
    assert wrong == []


def test_the_inner_layers_import_nothing_that_does_io():
    import sys

    wrong = []
    for path in python_files(*PURE_IMPORTS):
        for node, name in imports(path):
            top = name.partition(".")[0]
            known = top in sys.stdlib_module_names or top in LAYERS or top in PURE_IMPORTS[layer_of(path)]
            if (
                not known
                or (top == "websockets" and not SANS_IO.match(name))
                or top in ("asyncio", "socket", "threading")
            ):
                wrong.append(f"{at(path, node)}: {layer_of(path)} imports {name}")
    assert wrong == []


def test_the_inner_layers_read_no_clock_and_throw_no_dice():
    wrong = [
        f"{at(path, node)}: {node.value.id}.{node.attr}"
        for path in python_files(*PURE_IMPORTS)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in CLOCK_AND_DICE
    ]
    assert wrong == []


def test_the_runtime_defines_no_actor():
    from actors.shell import Shell

    runtime = importlib.import_module("runtime")
    defined = [value for value in vars(runtime).values() if isinstance(value, type) and value.__module__ == "runtime"]
    assert not any(issubclass(each, Shell) for each in defined)


def test_every_module_says_what_it_is_for():
    wrong = [
        at(path, 1)
        for path in [
            *python_files(),
            *(path for path in tracked() if path.suffix == ".py" and layer_of(path) == "tests"),
        ]
        if path.name != "__init__.py" and path.read_text().strip() and not ast.get_docstring(tree_of(path))
    ]
    assert wrong == []


def test_functions_and_files_are_short_enough_to_be_read():
    wrong = []
    for path in python_files():
        lines = path.read_text().count("\n")
        if lines > FILE_LINES_MAX:
            wrong.append(f"{at(path, 1)}: {lines} lines")
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    wrong.append(f"{at(path, node)}: {node.name} has {length} lines")
    assert wrong == []


def test_no_exception_is_swallowed_without_a_word():
    wrong = []
    for path in [path for path in tracked() if path.suffix == ".py"]:
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            broad = node.type is None or (
                isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
            )
            if broad and all(isinstance(each, ast.Pass | ast.Continue) for each in node.body):
                wrong.append(at(path, node))
    assert wrong == []


def test_nothing_is_left_unfinished_and_nothing_names_a_machine():
    wrong = []
    for path in tracked():
        if path.suffix in BINARY or "vendor" in path.parts or path.name == "LICENSE":
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if (path.suffix in (".py", ".js", ".mjs") and UNFINISHED.search(line)) or FOREIGN.search(line):
                wrong.append(f"{at(path, number)}: {line.strip()[:80]}")
    assert wrong == []


def test_tests_wait_for_events_and_not_for_time():
    wrong = []
    for path in [path for path in tracked() if path.suffix == ".py" and layer_of(path) == "tests"]:
        for node in ast.walk(tree_of(path)):
            # asyncio.sleep may be virtual; time.sleep never is.
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep":
                argument = node.args[0] if node.args else None
                if (
                    isinstance(argument, ast.Constant)
                    and isinstance(argument.value, int | float)
                    and argument.value > 0.05
                ):
                    wrong.append(f"{at(path, node)}: sleeps {argument.value} s")
    assert wrong == []


# --- actors -------------------------------------------------------------------------------------------------------


def actor_modules() -> list[str]:
    """Modules that define an actor: their docstring is its contract."""
    return [module_of(path) for path in python_files("actors") if re.search(r"^Takes ", path.read_text(), re.M)]


def taken(docstring: str) -> set[str]:
    """The message names in `Takes`, without who sends them."""
    section = re.search(r"^Takes\s+(.*?)(?=^(?:Sends|Crash)\b)", docstring, re.M | re.S)
    assert section, "the docstring has no Takes, followed by Sends or Crash"
    without_senders = re.sub(r"\([^)]*\)", "", section[1])
    return set(re.findall(r"\b[A-Z]\w+\b", without_senders))


@pytest.mark.parametrize("name", actor_modules())
def test_an_actors_docstring_names_what_it_takes(name):
    from actors.shell import Shell
    from actors.supervisor import Supervisor

    module = importlib.import_module(name)
    docstring = module.__doc__ or ""
    actors = [
        value for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Shell) and value.__module__ == name and value is not Shell
    ]  # fmt: skip
    assert actors, "no actor is defined here"
    accepted = {kind.__name__ for actor in actors for kind in actor._handlers}
    # What all supervisors take stands in supervisor.py.
    common = set() if name == Supervisor.__module__ else {kind.__name__ for kind in Supervisor.ACCEPTS}
    assert taken(docstring) - common == accepted - common


def test_every_actor_has_such_a_docstring():
    from actors.shell import Shell

    for path in python_files("actors"):
        importlib.import_module(module_of(path))

    def below(kind: type) -> set[type]:
        return {each for child in kind.__subclasses__() for each in (child, *below(child))}

    leaves = {
        actor.__module__
        for actor in below(Shell)
        if actor.__module__.startswith("actors.") and not actor.__subclasses__()
    }
    assert leaves <= set(actor_modules())


# --- what is written about it -------------------------------------------------------------------------------------


def test_the_commands_of_the_readme_exist():
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.M))
    named = set(re.findall(r"\bmake ([a-z]+)\b", readme))
    assert {"run", "test"} <= named <= targets
    import typer.main

    runtime = importlib.import_module("runtime")
    commands = set(typer.main.get_command(runtime.app).commands)
    assert (
        set(
            re.findall(
                r"\blimner ([a-z]+)\b", "\n".join(re.findall(r"`[^`]+`|^ {4}.*$|```.*?```", readme, re.M | re.S))
            )
        )
        <= commands
    )


def test_links_in_the_documents_lead_somewhere():
    wrong = [
        f"{at(path, 1)}: {link}"
        for path in tracked()
        if path.suffix == ".md"
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())
        if not (path.parent / link).exists()
    ]
    assert wrong == []


def test_every_config_key_is_documented():
    import msgspec

    from core import config

    text = (ROOT / "docs" / "CONFIG.md").read_text()
    kinds = [value for value in vars(config).values() if isinstance(value, type) and issubclass(value, msgspec.Struct)]
    keys = {
        field
        for kind in kinds
        if kind.__module__ in ("core.config", "core.account_config") and kind not in (config.Config, config.Front)
        for field in kind.__struct_fields__
    }
    assert {key for key in keys if f"`{key}`" not in text} == set()


def test_every_error_code_is_documented():
    from protocol.mistakes import CODES

    text = (ROOT / "docs" / "API.md").read_text()
    assert {code for code in CODES if f"`{code}`" not in text} == set()
