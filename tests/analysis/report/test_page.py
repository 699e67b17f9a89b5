"""Pages that need nothing else."""

from camerabias.analysis.report.page import template


def test_a_sentence_stays_as_it_is_but_for_commands_which_are_set_as_code():
    page = template("verdict.html").environment.from_string("{{ sentence | code }}")
    assert page.render(sentence="Label '<b>' & `a --full`") == (
        "Label &#39;&lt;b&gt;&#39; &amp; <code>a --full</code>"
    )
    assert page.render(sentence="one ` alone") == "one ` alone"


def test_no_line_of_a_sentence_ends_within_a_number_and_its_sign():
    page = template("verdict.html").environment.from_string("{{ sentence | code }}")
    shown = page.render(
        sentence="It is 31 points (95 % CI [22, 40], p < 0.001): 0.974 [0.961, 0.985] of 5 %, label × camera."
    )
    kept = [
        "31 points",
        "95 % CI [22, 40]",
        "p &lt; 0.001",
        "0.974 [0.961, 0.985]",
        "5 %,",
        "label × camera.",
    ]
    assert all(text.replace(" ", "\N{NO-BREAK SPACE}") in shown for text in kept)
    assert (
        page.environment.from_string("{{ 'p < 0.001 0.974 [0.961, 0.985]' | cell }}").render().count(" ") == 2
    )
    assert len(shown.split(" ")) == 9, "between words lines may end"
