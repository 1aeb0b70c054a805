"""The words that a user has written: counted in their corrections, stored with their model, read more easily.

The search adds them to the language model: a word's probability is that of the general model plus a share of
the word's frequency in the user's texts. So the user's words gain, and no other word loses. Most words of a
few lines are as frequent elsewhere, so the share grows with the number of words (docs/reports/training.md).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import UnusableModelError
from ketav_engine.recognition.compiled import compiled
from ketav_engine.recognition.decode import to_display

MAX_WORDS: Final = 4096
"""Words of a model, the most frequent ones: 1,000 lines have about 3,000. They take at most 240 kB of the
file's header, which may have `MAX_MODEL_HEADER_BYTES`."""
MAX_WORD_CHARACTERS: Final = 24
"""Characters of a word; a longer one is none of the words that people write again."""
MAX_COUNT: Final = 10**6
"""Occurrences of a word that are stored at most."""
MAX_SHARE: Final = 0.3
"""Share of the user's frequency of a word that is added to the word's probability. Validation lines of six
writers lost 2.7 % of their errors after 256 corrected lines and 3.8 % after 1,000; with 0.1 1.7 and 3.6 %."""
FULL_SHARE_WORDS: Final = 1000
"""Words, also repeated ones, from which the share is `MAX_SHARE`: about 200 lines. With fewer words it is
smaller in proportion: with the full share, validation lines had 1.6 % more errors after 16 corrected lines
and 1.5 % more after 64."""
_SEPARATORS: Final = re.compile(r"""[\s.,:;?!()"'-]+""")
"""What stands between two words: spaces and the marks around words of the language model."""

WordCounts = Mapping[str, int]
"""Occurrences of words, each in display order, as networks write them."""

NODE: Final = np.dtype(
    [
        ("label", np.int32),  # the label that leads to this node from its parent
        ("first", np.int32),  # its children are the nodes from `first` up to `end`
        ("end", np.int32),
        ("labels", np.uint64),  # a bit for the label of each child, by the label's last six bits
        ("begins", np.float64),  # what the user adds to the probability that a word begins with the text
        ("complete", np.float64),  # what the user adds to the probability that a word is the text
    ],
    align=True,
)
"""A node of a trie of words; probabilities as natural logarithms."""

Trie = NDArray[np.void]
"""An array of `NODE`: first the node of texts with which no word begins, then that of the empty text, then
the others; the children of a node stand side by side."""
NO_WORD: Final = 0
WORD_START: Final = 1

_ONE: Final = np.uint64(1)
_LAST_BITS: Final = 63
_IMPOSSIBLE: Final = -1e30
"""Logarithm of a share of zero; finite, so that sums stay numbers."""


def count_words(texts: Iterable[str]) -> dict[str, int]:
    """Count the words of texts in logical order; return the most frequent ones, sorted by the word."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word in _SEPARATORS.split(to_display(text)) if word)
    for word in [word for word in counts if len(word) > MAX_WORD_CHARACTERS]:
        del counts[word]
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_WORDS]
    return {word: min(count, MAX_COUNT) for word, count in sorted(frequent)}


def checked_words(words: object) -> WordCounts:
    """Return the words of a model's file; raises UnusableModelError unless they are counts within bounds."""
    if not isinstance(words, dict) or len(words) > MAX_WORDS:
        raise UnusableModelError(
            f"The model's words are no table of at most {MAX_WORDS:,} words. Export the model again."
        )
    for word, count in words.items():
        if not 0 < len(word) <= MAX_WORD_CHARACTERS or type(count) is not int or not 0 < count <= MAX_COUNT:
            raise UnusableModelError(
                f"A word of the model is empty, longer than {MAX_WORD_CHARACTERS} characters or without a "
                "count. Export the model again."
            )
    return words


def build_trie(words: WordCounts, codec: Any) -> Trie:  # noqa: ANN401  # kraken is untyped
    """Return the trie of words by the labels of a network's codec, without words that it cannot write."""
    labels = {character: label for label, character in codec.l2c_single.items()}
    counted = {
        tuple(labels[character] for character in word): count
        for word, count in words.items()
        if labels.keys() >= set(word)
    }
    begins: Counter[tuple[int, ...]] = Counter()
    for word, count in counted.items():
        begins.update({word[:length]: count for length in range(len(word) + 1)})
    factor = MAX_SHARE / max(FULL_SHARE_WORDS, begins[()])
    prefixes = sorted({(), *begins}, key=lambda prefix: (len(prefix), prefix))
    position = {prefix: WORD_START + index for index, prefix in enumerate(prefixes)}
    trie = np.zeros(WORD_START + len(prefixes), NODE)
    trie["begins"] = trie["complete"] = _IMPOSSIBLE
    for prefix, index in position.items():
        node = trie[index]
        if prefix:
            parent = trie[position[prefix[:-1]]]
            node["label"], node["begins"] = prefix[-1], math.log(factor * begins[prefix])
            parent["first"], parent["end"] = parent["first"] or index, index + 1
            parent["labels"] |= _ONE << np.uint64(prefix[-1] & _LAST_BITS)
        if prefix in counted:
            node["complete"] = math.log(factor * counted[prefix])
    return trie


@compiled
def next_user_node(trie: Trie, node: int, label: int) -> int:
    """Return the node of a node's text with one more label, `NO_WORD` where no word begins with it."""
    if not (trie[node].labels >> np.uint64(label & _LAST_BITS)) & _ONE:  # most nodes have few children
        return NO_WORD
    for child in range(trie[node].first, trie[node].end):
        if trie[child].label == label:
            return child
    return NO_WORD


NO_WORDS: Final = build_trie({}, SimpleNamespace(l2c_single={}))
"""The trie of a user without words."""
