"""The pages say what is true: links lead somewhere, commands parse, settings and rooms exist."""

import importlib
import re
import shlex
from dataclasses import asdict

import pytest

from sflowgan_tf import config
from sflowgan_tf.ops.classes import TABLES, VOID
from tests import places

PAGES = sorted(
    {
        *places.ROOT.glob("*.md"),
        *(places.ROOT / "docs").glob("*.md"),
        places.ROOT / "datasets/README.md",
        places.ROOT / "examples/metadrive/README.md",
        places.ROOT / "saved_models/README.md",
    }
)
VERBS = (
    "prepare",
    "fit",
    "segment",
    "translate",
    "evaluate",
    "downstream",
    "export",
    "lite",
    "record",
    "live",
    "play",
    "benchmark",
)
PACKAGE = places.ROOT / "sflowgan_tf"

each_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: str(page.relative_to(places.ROOT))
)


def blocks(page):
    """The fenced blocks of a page, each as (language, text)."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def prose(page):
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page):
    """The names by which GitHub links to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands():
    """All `python -m sflowgan_tf.VERB ...` of pages and configurations, with their files."""
    texts = {page: "".join(text for _, text in blocks(page)) for page in PAGES}
    texts |= {file: file.read_text() for file in config.folder().glob("*.yaml")}
    pattern = re.compile(r"^(?:# +)?python -m sflowgan_tf\.(\w+) (?!--help)(.*)$", re.MULTILINE)
    for file, text in texts.items():
        for verb, arguments in pattern.findall(text):
            yield pytest.param(verb, arguments, id=f"{file.name}: {verb} {arguments}")
    row = re.compile(r"^\| `(\w+)(?: fit| label)?` \|.*\| `\1 ([^`]*)` \|", re.MULTILINE)
    for verb, arguments in row.findall((places.ROOT / "README.md").read_text()):
        yield pytest.param(verb, arguments, id=f"README's table: {verb}")


@each_page
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize(("verb", "arguments"), [*commands()])
def test_commands_parse_and_their_settings_are_valid(verb, arguments):
    module, words = importlib.import_module(f"sflowgan_tf.{verb}"), shlex.split(arguments, True)
    if verb == "benchmark":
        flags = module.flags(words[0])
    else:
        flags = module.label_flags() if words[0] == "label" else module.flags()
    parsed = flags.parse_intermixed_args(words)
    if hasattr(parsed, "overrides"):
        file = getattr(parsed, "config", None)
        config.load(parsed.dataset, file, parsed.overrides)


def keys(tree, prefix=""):
    """The dotted names of all settings and of their groups."""
    for name, value in tree.items():
        yield f"{prefix}{name}"
        if isinstance(value, dict):
            yield from keys(value, f"{prefix}{name}.")


@each_page
def test_settings_exist(page):
    known = {*keys(asdict(config.Config()))}
    groups = {name.partition(".")[0] for name in known if "." in name}
    for code in re.findall(r"`([^`\n]+)`", prose(page)):
        for name in re.findall(r"(?:^| )([a-z_]+\.[a-z_.0-9]+)(?:=|\.\*|,|$| )", code):
            if name.partition(".")[0] in groups:
                assert name in known, name


@each_page
def test_make_knows_the_targets(page):
    makefile = (places.ROOT / "Makefile").read_text()
    for _, text in blocks(page):
        for target in re.findall(r"^make (\w+)", text, re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_readme_shows_all_verbs_and_rooms():
    text = (places.ROOT / "README.md").read_text()
    (tree,) = (
        block for _, block in blocks(places.ROOT / "README.md") if "\nsflowgan_tf/\n" in block
    )
    rooms = [path for path in PACKAGE.iterdir() if not path.name.startswith("__py")]
    for path in rooms:
        name = f"{path.name}/" if path.is_dir() else path.name
        assert re.search(rf"^  (?:\S+ )*{re.escape(name)}\s", tree, re.MULTILINE), name
    for verb in VERBS:
        assert re.search(rf"^\| `{verb}( fit)?` \|", text, re.MULTILINE), verb


def test_pages_of_the_manual_open_with_their_command():
    for page in sorted((places.ROOT / "docs").glob("*.md")):
        if page.name != "tables.md":
            assert re.match(r"# [^\n]+\n\n```\n(python -m|make) ", page.read_text()), page.name


@each_page
def test_modules_that_are_named_exist(page):
    for name in re.findall(r"`([\w/]+/\w+\.py)`", prose(page)):
        if not re.search("[A-Z]{2}", name):  # NAME and the like stand for something
            assert (places.ROOT / name).is_file() or (PACKAGE / name).is_file(), name


def test_class_tables_are_those_of_the_code():
    text = (places.ROOT / "datasets/README.md").read_text()
    sections = re.findall(r"^### `([^`]+)`\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
    assert {name for name, _ in sections} == {name for name in TABLES if "-as-" not in name}
    for name, section in sections:
        table = TABLES[name]
        onto = TABLES.get(f"{name}-as-cityscapes")
        rows = [
            [cell.strip() for cell in row.split("|")]
            for row in re.findall(r"^\| (\d.*) \|$", section, re.MULTILINE)
        ]
        ids = {index: raw for raw, index in table.ids.items() if index != VOID}
        expected = []
        for index, (class_name, color) in enumerate(zip(table.names, table.colors, strict=True)):
            row = [str(index), str(ids[index]), class_name, ", ".join(map(str, color))]
            if onto is not None:
                other = onto.ids[ids[index]]
                row.append("void" if other == VOID else f"{other} {onto.names[other]}")
            expected.append(row)
        assert rows == expected, name
