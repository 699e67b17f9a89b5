"""What is printed and documented uses the field's words, none of those that once stood in their place; in sentences
that one reads to their end."""

import ast
import html
import re
import tarfile
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from camerabias.sweeps.cli import main as cli

ROOT = Path(__file__).parent.parent
PACKAGES = ("api", "datasets", "trainables", "sweeps", "analysis")
CODE = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
TEMPLATES = sorted((ROOT / "analysis/report/templates").glob("*.html"))
YAML = [*sorted((ROOT / "sweeps/studies").glob("*.yaml")), ROOT / "analysis/paper/claims.yaml"]
ARCHIVE = ROOT / "tests/fixtures/old_run/old_run.tar.gz"

OLD_WORDS = [
    # what it matches; what to write instead; a sentence in which it must be found
    (r"\bhang(s|ing)? together\b", "are associated", "Label and camera hang together."),
    (r"\bcameras? (that |which )?impl(y|ies)\b", "associated label", "the label that a camera implies"),
    (
        r"\bimpl(y|ies) (a|another|different|the same|their|its|that) label",
        "associated label",
        "they imply a label",
    ),
    (
        r"\bdisagree|\bagrees? with (its|their)",
        "bias-conflicting, bias-aligned",
        "photos disagree with their camera",
    ),
    (r"\bcontradict(s|ing)? (its|their|every) camera", "bias-conflicting", "photos contradict their camera"),
    (
        r"\b(tell|tells|telling|told)\b[^.;:]{0,40}\bapart\b",
        "identify, distinguish",
        "It tells cameras apart.",
    ),
    (
        r"\bfollow(s|ed|ing)? (the|their|its) camera",
        "depend on the camera",
        "Predictions follow their camera.",
    ),
    (r"\bcheat (gap|signature)|\bcheat gaps?\b|\bsignatures?\b", "shortcut effect", "the cheat signature"),
    (r"\bby luck\b|\bluck\b", "expected under independence", "as often as by luck"),
    (r"\bexchang(e|es|ed|ing)\b", "permutation", "Cameras are exchanged within labels."),
    (r"\b(four|4) times in (five|5)\b", "power 0.8", "It would have been seen four times in five."),
    (r"\bguess(es|ed|ing)?\b|\bclues?\b", "metadata baseline, feature", "the guess from the size"),
    (r"\btr(y|ies)( (\d|of|was|is|has|that)|: |$)", "candidate", "try 3: validation loss 0.1"),
    (
        r"\bpieces?\b|\{\} parts\b|\bparts? of (the|a|an) (image|photo|variant)s?\b",
        "crop, shard",
        "small pieces",
    ),
    (r"\bthings?\b", "object, item", "photos of the same thing"),
    (r"\bown (accuracy|threshold|camera|mean|share)s?\b", "per-camera", "each at its own threshold"),
    (r"\btold\b", "result, sentence", "What is told of the trials."),
    (r"\bevens? out\b|\bevening out\b", "balance", "It evens out the cells."),
    (r"\bbatter(y|ies)\b", "suite", "the full battery"),
    (r"\bresh(oot|ot)|\bshot again\b", "counterfactual", "bottles are shot again"),
    (r"\bprov(e|es|ed|en)\b", "check access", "proves that it can write"),
    (r"\binsists?\b", "force", "or insist with --allow-unauthenticated"),
    (r"\bleav(e|es|ing)( [\w`'{}]+){0,4} out\b|\bleft out\b", "exclude, drop", "leave these rows out"),
    (r"\b(go|goes|went|going) on( where| again|\.|,|;|$)", "resume", "It goes on where it stopped."),
    (r"\bmend(s|ed|ing)?\b", "fix", "mend the table"),
    (r"\btakes? no notice\b", "independent of", "predictions take no notice of the camera"),
    (r"\b(share|accuracy) (kept|left)\b|\b(is|was|are) left of\b", "remaining", "the share left in a view"),
    (r"\bdo(es)? not (identify|use|depend on) the camera", "was not shown to", "It does not use the camera."),
    (r"\bno evidence (of|for|that)\b", "no significant", "There is no evidence of a shortcut."),
]
"""Words that have common other meanings (own, part, try) are looked for in the phrases that they stood in."""

OLD_HEADS = {
    "kept",
    "left",
    "own",
    "told",
    "gap",
    "clue",
    "guess",
    "battery",
    "n seeds",
    "p holm",
    "signature",
}
"""Of columns of a printed table, where one word stands alone."""

ALLOWED = {
    "which says that their accuracy does not depend on the camera": "what the paper claims, in the note of table3",
}
"""Texts that may hold such a word, and why."""


def old_words(text):
    """What stands in a text that should not, and what to write instead."""
    for allowed in ALLOWED:
        text = text.replace(allowed, "")
    found = [(re.search(pattern, text, re.IGNORECASE), standard) for pattern, standard, _ in OLD_WORDS]
    return [f"{hit[0]!r} (write: {standard})" for hit, standard in found if hit]


LONGEST_SENTENCE = 30
"""Words. A number, or an interval in brackets, is none."""


def long_sentences(text):
    """Sentences that nobody reads to their end; a paragraph, a cell or a row ends one, too."""
    sentences = re.split(r"(?<=[.!?])[\"')]*\s+|\n\s*\n", text)
    words = (re.findall(r"\S*[a-zA-Z]\S*", sentence) for sentence in sentences)
    return [" ".join(found) for found in words if len(found) > LONGEST_SENTENCE]


def strings(path):
    """Line and text of every phrase of a file that reaches users, of f-strings with {} for what is filled in.

    A phrase is a text of several words: one word alone is a key, a name or a column. Documentation counts, except of
    what is private.
    """
    tree = ast.parse(path.read_text())
    hidden = {node for scope in ast.walk(tree) if _is_private(scope) for node in _documentation(scope)}
    yield from _phrases(tree, hidden)


def _is_private(scope):
    return isinstance(scope, ast.ClassDef | ast.FunctionDef) and scope.name.startswith("_")


def _documentation(scope):
    """The docstring of a private function or class, of its attributes, and of what is in it."""
    for node in ast.walk(scope):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _phrases(node, hidden):
    if isinstance(node, ast.JoinedStr):
        text = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        yield node.lineno, text
    elif isinstance(node, ast.Constant) and node not in hidden and " " in str(node.value).strip():
        yield node.lineno, str(node.value)
    for child in ast.iter_child_nodes(node):
        if not isinstance(node, ast.JoinedStr) or isinstance(child, ast.FormattedValue):
            yield from _phrases(child, hidden)


def commands(command, name=("camerabias",)):
    """Every command, by name, with the groups that hold them."""
    yield " ".join(name), command
    for word, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*name, word))


COMMANDS = dict(commands(get_command(cli.app)))


def text_of(page):
    """What a reader sees of an HTML page, or of its template."""
    return re.sub(r"\s+", " ", " ".join(paragraphs_of(page)))


def paragraphs_of(page, without=None):
    """The same by paragraph, cell and item of a list; without what some tag encloses."""
    page = re.sub(r"<(style|script)>.*?</\1>|\{%.*?%\}|base64,[^\"]*", " ", page, flags=re.DOTALL)
    if without:
        page = re.sub(rf"<{without}[ >].*?</{without}>", " ", page, flags=re.DOTALL)
    page = re.sub(r"</(p|li|t[dh]|d[dt]|h\d|text|caption|figcaption|summary|header)>", "\n\n", page)
    return re.split(r"\n\s*\n", html.unescape(re.sub(r"<[^>]*>", " ", page)))


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_says_it_in_the_fields_words(path):
    assert [
        (line, found) for line, text in strings(path) if (found := old_words(" ".join(text.split())))
    ] == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sentence_that_is_printed_is_long(path):
    tree = ast.parse(path.read_text())
    said = _phrases(tree, set(_documentation(tree)))
    assert [(line, found) for line, text in said if (found := long_sentences(text.replace("{}", "x")))] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_sentence_of_the_report_is_long(path):
    assert [found for text in paragraphs_of(path.read_text()) if (found := long_sentences(text))] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_of_the_report_do(path):
    assert old_words(text_of(path.read_text())) == []


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_titles_of_studies_and_claims_do(path):
    def texts(value):
        if isinstance(value, dict):
            value = list(value.values())
        return [text for one in value for text in texts(one)] if isinstance(value, list) else [str(value)]

    said = texts(yaml.safe_load(path.read_text()))
    assert [(text, found) for text in said if (found := old_words(text) + long_sentences(text))] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_does(name, monkeypatch, command):
    code, out, _ = command(*name.split()[1:], "--help")
    assert code == 0
    assert old_words(re.sub(r"[\s│]+", " ", out)) == []
    said = [COMMANDS[name].help, *(getattr(option, "help", None) for option in COMMANDS[name].params)]
    assert [found for text in said if (found := long_sentences(text or ""))] == []


def test_the_report_of_a_run_and_what_is_printed_of_it_do(tmp_path, monkeypatch, command):
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    printed = [command(*line.split())[1] for line in ("report run", "data show dataset", "sweep status run")]
    page = Path("run/report/index.html").read_text()
    tables = [path.read_text() for path in Path("run/report/tables").glob("*.md")]
    for text in (*printed, *tables, text_of(page)):
        assert old_words(re.sub(r"[\s│┃]+", " ", text)) == []
    heads = re.findall(r'<th scope="col">(.*?)</th>', page)
    assert "chance-normalised accuracy" in heads
    assert OLD_HEADS & {head.strip() for head in heads} == set()
    assert "nan" not in text_of(page).lower().split()
    said = [*paragraphs_of(page, without="td"), *"\n".join(printed).splitlines()]
    assert [found for text in said if (found := long_sentences(text))] == []


def test_a_long_sentence_is_found_and_numbers_are_no_words():
    word, interval = "word ", "0.936 [0.908, 0.962] "
    assert long_sentences(30 * word + "more.") == [(30 * word + "more.")]
    assert long_sentences(29 * word + "more. " + 30 * word) == []
    assert long_sentences(30 * interval + 30 * word) == []


@pytest.mark.parametrize(("pattern", "standard", "example"), OLD_WORDS, ids=[word[2] for word in OLD_WORDS])
def test_planted_sentences_are_found_and_the_standard_ones_are_not(pattern, standard, example, tmp_path):
    assert old_words(example)
    assert not re.search(pattern, standard, re.IGNORECASE)
    planted = tmp_path / "planted.py"
    planted.write_text(
        f'def f(n):\n    """{example}"""\n    print(f"{{n}} {example}")\n\n\n'
        f'def _g():\n    """{example}"""\n    raise ValueError("{example}")\n'
    )
    assert [line for line, text in strings(planted) if old_words(text)] == [2, 3, 8], "not of what is private"


def test_commands_that_sentences_name_exist_with_their_options_and_leave_nothing_to_fill_in(parse_command):
    lines = {
        line.replace("{}", "64")
        for path in CODE
        for _, text in strings(path)
        for line in re.findall("`(camerabias [a-z][^`]*)`", " ".join(text.split()))
    }
    assert len(lines) > 20
    given = {
        line for line in lines if not re.fullmatch(r"camerabias( (data|sweep))?( [a-z]+)?( --[a-z-]+)?", line)
    }
    for line in given:
        parse_command(line)
    for line in lines - given:  # the command, or one of its options, alone
        assert not line.endswith("..."), line
    assert [line for line in given if "..." in line or "RUN" in line.split()] == []
