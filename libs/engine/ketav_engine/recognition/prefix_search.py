"""CTC prefix beam search, compiled by Numba.

Hannun et al., First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs,
2014, algorithm 1, with characters in place of words. The score of a text is

    log p_ctc(text) + weight * log p_language(text) + bonus * length(text).

Equal texts are one hypothesis: the probabilities of all their alignments are added. Texts are nodes of a
tree, each with its parent and the label that it adds. All logarithms are natural.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketav_engine.recognition.compiled import compiled
from ketav_engine.recognition.hypotheses import (
    IMPOSSIBLE,
    NEVER,
    Hypotheses,
    Language,
    Weights,
    add_label,
    log_add,
    score,
)
from ketav_engine.recognition.language_model import SYMBOL_BITS
from ketav_engine.recognition.user_words import WORD_START

SURE_BLANK: Final = 0.9995
"""A step whose blank is more probable than this extends no hypothesis: a speed-up without a change of CER."""
MAX_LABELS: Final = 48
"""Labels that extend hypotheses at one step; at a `min_probability` of 0.005 there are rarely more."""


class Tree(NamedTuple):
    """The texts of all hypotheses so far; node 0 is the empty text."""

    parent: NDArray[np.int32]
    label: NDArray[np.int32]


@compiled
def search(
    probabilities: NDArray[np.float32],
    language: Language,
    weights: Weights,
    beam: Hypotheses,
    candidates: Hypotheses,
) -> NDArray[np.int64]:
    """Return the labels of the best text for `probabilities` (labels, steps): label 0 is the blank.

    `beam` has room for `weights.width` hypotheses and `candidates` for `weights.width * (MAX_LABELS + 1)`.
    """
    steps = probabilities.shape[1]
    logs = np.log(np.maximum(probabilities, np.float32(1e-12)))
    room = 1 + weights.width * steps
    tree = Tree(np.full(room, -1, np.int32), np.zeros(room, np.int32))
    position = np.full(room, -1, np.int32)
    children = np.full((weights.width, len(probabilities)), -1, np.int32)
    labels = np.zeros(MAX_LABELS, np.int64)
    _begin(language, beam)
    size, nodes = 1, 1
    for step in range(steps):
        if probabilities[0, step] > SURE_BLANK:
            _add_blank(beam, size, logs[0, step])
            continue
        likely = labels[: _labels_at(probabilities[:, step], language, weights.min_probability, labels)]
        _link_children(tree, beam, size, position, children)
        _stay(tree, beam, size, logs[:, step], candidates)
        count = _extend(tree, beam, size, likely, logs[:, step], children, language, weights, candidates)
        size, nodes = _keep_best(tree, nodes, candidates, count, weights, beam)
    return _path(tree, _best_node(beam, size, weights))


@compiled
def _begin(language: Language, beam: Hypotheses) -> None:
    """Make the empty text the only hypothesis."""
    start = np.uint64((1 << SYMBOL_BITS) | language.space)
    empty = beam[0]
    empty.node, empty.letters, empty.length, empty.user_node = 0, 0, 0, WORD_START
    empty.user = NEVER
    empty.blank, empty.label = 0.0, NEVER
    empty.finished, empty.known, empty.unknown = 0.0, 0.0, 0.0
    empty.word_context, empty.running_context = start, start


@compiled
def _add_blank(beam: Hypotheses, size: int, log_blank: float) -> None:
    """Extend the alignments of all hypotheses by a blank."""
    for index in range(size):
        beam[index].blank = log_add(beam[index].blank, beam[index].label) + log_blank
        beam[index].label = NEVER


@compiled
def _labels_at(
    column: NDArray[np.float32], language: Language, min_probability: float, labels: NDArray[np.int64]
) -> int:
    """Write the labels that may extend hypotheses into `labels`; return how many there are."""
    count = 0
    for label in range(1, len(column)):
        if column[label] >= min_probability and language.symbols[label] >= 0 and count < len(labels):
            labels[count] = label
            count += 1
    return count


@compiled
def _link_children(
    tree: Tree, beam: Hypotheses, size: int, position: NDArray[np.int32], children: NDArray[np.int32]
) -> None:
    """Set children[i, label] to the hypothesis whose text is hypothesis i's with that label, -1 for none.

    `position` is the hypothesis of each node, -1 for none; it is left as it was.
    """
    children[:size] = -1
    for index in range(size):
        position[beam[index].node] = index
    for index in range(size):
        parent = tree.parent[beam[index].node]
        if parent >= 0 and position[parent] >= 0:
            children[position[parent], tree.label[beam[index].node]] = index
    for index in range(size):
        position[beam[index].node] = -1


@compiled
def _stay(tree: Tree, beam: Hypotheses, size: int, logs: NDArray[np.float32], candidates: Hypotheses) -> None:
    """Write each hypothesis without an additional label: by a blank, or by a repeat of its last label."""
    for index in range(size):
        before, after = beam[index], candidates[index]
        last = tree.label[before.node]
        candidates[index] = before
        after.added = 0
        after.blank = log_add(before.blank, before.label) + logs[0]
        after.label = before.label + logs[last] if last > 0 else NEVER


@compiled
def _extend(
    tree: Tree,
    beam: Hypotheses,
    size: int,
    labels: NDArray[np.int64],
    logs: NDArray[np.float32],
    children: NDArray[np.int32],
    language: Language,
    weights: Weights,
    candidates: Hypotheses,
) -> int:
    """Extend each hypothesis by each label; return the number of candidates with those that stay.

    A new candidate has the node of the hypothesis that it extends until it is kept.
    """
    count = size
    for index in range(size):
        before = beam[index]
        total = log_add(before.blank, before.label)
        last = tree.label[before.node]
        for label in labels:
            log = (before.blank if label == last else total) + logs[label]
            if log <= IMPOSSIBLE:
                continue
            child = children[index, label]
            if child >= 0:
                candidates[child].label = log_add(candidates[child].label, log)
                continue
            after = candidates[count]
            after.node, after.added = before.node, label
            after.blank, after.label = NEVER, log
            add_label(language, weights, before, label, after)
            count += 1
    return count


@compiled
def _keep_best(
    tree: Tree, nodes: int, candidates: Hypotheses, count: int, weights: Weights, beam: Hypotheses
) -> tuple[int, int]:
    """Copy the best candidates into the beam; return their number and the number of the tree's nodes."""
    scores = np.zeros(count)
    for index in range(count):
        scores[index] = -score(weights, candidates[index])
    best = np.argsort(scores)
    size = min(weights.width, count)
    for rank in range(size):
        candidate = candidates[best[rank]]
        beam[rank] = candidate
        if candidate.added:
            tree.parent[nodes], tree.label[nodes] = candidate.node, candidate.added
            beam[rank].node = nodes
            nodes += 1
    return size, nodes


@compiled
def _best_node(beam: Hypotheses, size: int, weights: Weights) -> int:
    """Return the node of the hypothesis with the best score."""
    best, highest = 0, NEVER
    for index in range(size):
        value = score(weights, beam[index])
        if value > highest:
            best, highest = index, value
    return int(beam[best].node)


@compiled
def _path(tree: Tree, node: int) -> NDArray[np.int64]:
    """Return the labels on the way from the root to a node."""
    length, walk = 0, node
    while tree.parent[walk] >= 0:
        walk = tree.parent[walk]
        length += 1
    labels = np.zeros(length, np.int64)
    while tree.parent[node] >= 0:
        length -= 1
        labels[length] = tree.label[node]
        node = tree.parent[node]
    return labels
