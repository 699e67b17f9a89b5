"""Reports in the browser of the system: only there do scripts run, colours turn dark, and pages fit a phone."""

import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

import camerabias

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

ARCHIVE = Path(__file__).parents[2] / "fixtures/old_run/old_run.tar.gz"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
CUT = "box => box.scrollWidth > box.clientWidth"
PAGES = ["audit", "paper", "judged", "compared"]


@pytest.fixture(scope="session")
def browser():
    """Chromium, as the system has it."""
    found = [
        path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))
    ]
    if not found:
        pytest.skip("there is no Chromium; `apt-get install chromium` brings it, as .ci/run does")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found[0])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory, paper_run):
    """Pages by name: an audit and its search, a sweep of the paper's tables, judged predictions, two runs."""
    folder = tmp_path_factory.mktemp("reports")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    shutil.copytree(paper_run.folder.path, folder / "paper")
    return {
        "audit": camerabias.report(folder / "run").index,
        "paper": camerabias.report(folder / "paper").index,
        "judged": camerabias.judge(_predictions(), run=folder / "judged").page,
        "compared": camerabias.compare(folder / "run", folder / "judged").page,
    }


def _predictions():
    """Of two labels by nine cameras, each of which took three times as many photos of one label as of the other."""
    generator = np.random.default_rng(0)
    camera = generator.integers(9, size=900)
    label = np.where(generator.random(900) < 0.75, camera % 2, 1 - camera % 2)
    given = np.where(generator.random(900) < 0.3, camera % 2, label)
    words = np.array(["cat", "dog"])
    return pd.DataFrame(
        {"label": words[label], "prediction": words[given], "camera": [f"camera {n}" for n in camera]}
    )


@pytest.fixture
def open_page(browser, reports):
    """Open a page by name, offline, in a window of its own; it may say nothing on the console."""
    contexts, said = [], []

    def open_in(name, made=reports, **options):
        contexts.append(browser.new_context(offline=True, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(Path(made[name]).as_uri())
        return page

    yield open_in
    for context in contexts:
        context.close()
    assert said == []


def column(page, table, number):
    """Texts of a column of a table, of the rows that are shown."""
    return [
        text.strip() for text in table.locator(f"tbody tr:visible > :nth-child({number})").all_inner_texts()
    ]


def numbers(texts):
    return [float(re.sub(r"^[<>] *", "", text).split()[0]) for text in texts]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_asked_for_but_the_page(browser, reports, name):
    context = browser.new_context()
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    address = Path(reports[name]).as_uri()
    page.goto(address)
    assert [url for url in asked if not url.startswith("data:")] == [address]
    with pytest.raises(Exception, match="Failed to fetch"):  # what a script in a name could do
        page.evaluate("fetch('http://127.0.0.1/')")
    context.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_no_violation(open_page, name, scheme, device):
    page = open_page(name, color_scheme=scheme, **device)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_scrolls_down_and_not_to_the_side(open_page, name):
    page = open_page(name, **PHONE)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_no_table_of_numbers_is_cut_off_at_the_right(open_page, name, device):
    page = open_page(name, **device)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    tables = page.locator(".wide:has(> .numbers), .wide:has(> .claims), .wide:has(> .heat)")
    assert tables.count() > 0
    assert [one.get_attribute("aria-label") for one in tables.all() if one.evaluate(CUT)] == []


@pytest.mark.parametrize("name", PAGES)
def test_dark_is_dark(open_page, name):
    def brightness(page, what):
        colour = page.evaluate(f"getComputedStyle(document.body).{what}")
        return np.mean([int(part) for part in re.findall(r"\d+", colour)[:3]])

    light, dark = open_page(name, color_scheme="light"), open_page(name, color_scheme="dark")
    assert brightness(light, "backgroundColor") > 250 > 50 > brightness(light, "color")
    assert brightness(dark, "backgroundColor") < 50 < 200 < brightness(dark, "color")


def test_a_click_on_a_head_sorts_and_another_turns_it_round(open_page):
    page = open_page("judged")
    table = page.locator("table.numbers", has_text="Accuracy by camera")
    place = [text.strip() for text in table.locator("thead th").all_inner_texts()].index("accuracy") + 1
    before = column(page, table, place)
    head = table.locator("thead button", has_text="accuracy").first
    head.click()
    assert numbers(column(page, table, place)) == sorted(numbers(before))
    assert table.locator("thead th[aria-sort=ascending]").count() == 1
    head.click()
    assert numbers(column(page, table, place)) == sorted(numbers(before), reverse=True)
    assert table.locator("thead th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_keys_alone_sort_and_filter(open_page):
    page = open_page("audit")
    table = page.locator("table.numbers", has_text="highpass").first
    views = column(page, table, 1)
    assert len(views) == 12
    page.get_by_label("Show rows with").first.focus()
    page.keyboard.type("RE")
    assert column(page, table, 1) == [view for view in views if "re" in view]
    assert "of 12" in page.locator("output").first.inner_text()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    assert column(page, table, 1) == views
    page.keyboard.press("Tab")  # to the table, which scrolls where it is wide
    page.keyboard.press("Tab")  # to the first head
    page.keyboard.press("Enter")
    assert column(page, table, 1) == sorted(views)


def test_claims_are_filtered_by_their_outcome(open_page):
    page = open_page("paper")
    tested, others = page.locator("table.claims").all()
    rows = [claims.locator("tbody tr").count() for claims in (tested, others)]
    assert sum(rows) == 24
    assert rows[0] == tested.locator("tbody tr:visible").count()
    assert not others.is_visible()
    box = page.locator("section", has=tested).get_by_label("Show rows with").first
    box.fill("does not hold")
    assert 0 < len(column(page, tested, 1)) < rows[0]


def test_chance_stays_last_and_what_is_not_known_before_it(open_page, make, tmp_path):
    models = ["small_cnn", "test_resnet", "resnet18"]
    cells = [make.cell("camera", "balanced", make.right("camera", 0.9), model) for model in models]
    cells += [make.cell("label", "balanced", make.right("label", 0.5 + n / 9), models[n]) for n in (0, 1)]
    run = make.run(tmp_path / "run", {"three": cells}).folder.path
    page = open_page("three", {"three": camerabias.report(run).index})
    table = page.locator("table.numbers").first
    for _ in range(2):
        table.locator("thead button").last.click()
        shown = column(page, table, table.locator("thead th").count())
        assert shown[2] == "–"
        assert column(page, table, 1)[2:] == ["resnet18", "chance"]


@pytest.mark.parametrize("name", PAGES)
def test_print_shows_what_is_folded_and_hides_what_only_a_screen_can_do(open_page, name):
    page = open_page(name)
    page.emulate_media(media="print")
    assert page.locator(".filter:visible").count() == 0
    folded = page.locator("details h2")
    assert all(one.is_visible() for one in folded.all())
    assert page.pdf(format="A4", prefer_css_page_size=True).startswith(b"%PDF-")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"]
