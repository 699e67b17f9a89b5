"""Labels that are sets of several, such as `A|B`: known as such, and asked about by one member."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from camerabias.datasets.schema import CamerabiasError, quoted

SET_SEPARATORS = "|;,+&/"


def set_members(word: str, separators: str = SET_SEPARATORS) -> list[str]:
    """Members of a label that may be a set, such as `A|B`; itself where it is none."""
    return [member for part in re.split(f"[{re.escape(separators)}]", word) if (member := part.strip())]


def separators_of(labels: Iterable[str]) -> str:
    """What may stand between members of labels that are sets; blanks only where these look like sets of words."""
    return SET_SEPARATORS + (" " if _set_separator({*labels}) == " " else "")


def _set_separator(labels: Collection[str]) -> str | None:
    """What joins labels that look like sets: a bar, of labels that are there too, or many ones of few words."""
    for separator in f"{SET_SEPARATORS} ":
        members = {word: {part.strip() for part in word.split(separator)} for word in labels}
        joined = {word: found for word, found in members.items() if len(found) > 1 and "" not in found}
        if not joined or (separator == " " and not _recur(joined, labels)):
            continue
        n_words = len({member for found in members.values() for member in found})
        many = len(joined) > 1 and len(labels) > n_words
        if separator == "|" or many or any(found <= {*labels} for found in joined.values()):
            return separator
    return None


def _recur(joined: Mapping[str, set[str]], labels: Collection[str]) -> bool:
    """Whether labels of several words are more likely sets than names, such as `brown bear`.

    Then every word is a label as well, or in several of them; and some are a label, or some sets have more members.
    """
    counts = Counter(member for found in joined.values() for member in found)
    sizes = {len(found) for found in joined.values()}
    alone = counts.keys() & {*labels}
    return all(n > 1 or word in alone for word, n in counts.items()) and (bool(alone) or len(sizes) > 1)


def describe_sets(counts: Counter[str]) -> list[str]:
    """Labels that look like sets, and how to ask about a member of them."""
    separator = _set_separator(counts)
    if separator is None:
        return []
    members = {word: set_members(word, separator) for word in counts}
    joined = [word for word, found in members.items() if len(found) > 1]
    words = {member for found in members.values() for member in found}
    return [
        f"Labels look like sets: {len(counts)} labels are combinations of {len(words)} words, joined by "
        f"{'blanks' if separator == ' ' else quoted(separator)}. {sum(counts[word] for word in joined)} photos have "
        f"several (first: {quoted(joined[0])}), and each combination counts as a label of its own. To ask about one "
        f"of these words, give --one-vs-rest {quoted(min(words))}."
    ]


def in_or_not(word: str, member: str, separators: str = SET_SEPARATORS) -> str:
    """A word as `member`, where it is that or a set with it, or as `not MEMBER`."""
    return member if word == member or member in set_members(word, separators) else f"not {member}"


def one_vs_rest(words: Iterable[str], member: str) -> list[str]:
    """Each word as `in_or_not` has it.

    Raises:
        CamerabiasError: No word, or every word, has it.
    """
    each = [*words]
    separators = separators_of(each)
    found = [in_or_not(word, member, separators) for word in each]
    if len({*found}) == 2:
        return found
    known = Counter(one for word in each for one in set_members(word, separators))
    named = ", ".join(f"{quoted(word)}" for word, _ in known.most_common(20))
    raise CamerabiasError(
        f"{'Every' if member in found else 'No'} photo has the label {quoted(member)} that --one-vs-rest asks about; "
        f"labels hold {named}."
    )
