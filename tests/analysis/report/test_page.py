"""Pages that need nothing else."""

from camerabias.analysis.report.page import template


def test_a_sentence_stays_as_it_is_but_for_commands_which_are_set_as_code():
    page = template("verdict.html").environment.from_string("{{ sentence | code }}")
    assert page.render(sentence="Label '<b>' & `a --full`") == (
        "Label &#39;&lt;b&gt;&#39; &amp; <code>a --full</code>"
    )
    assert page.render(sentence="one ` alone") == "one ` alone"
