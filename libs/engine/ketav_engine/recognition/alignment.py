"""The most probable alignment of a text with a network's output."""

import numpy as np
from numpy.typing import NDArray

from ketav_engine.recognition.compiled import compiled
from ketav_engine.recognition.hypotheses import NEVER


@compiled
def spans(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the first and last step of each label in the best alignment (Viterbi), shape (labels, 2).

    (-1, -1) for a label that the alignment leaves out, which happens only where steps are too few.
    """
    count, steps = len(labels), probabilities.shape[1]
    states = np.zeros(2 * count + 1, np.int64)
    states[1::2] = labels
    logs = np.log(np.maximum(probabilities, 1e-12))
    score = np.full(len(states), NEVER)
    score[0], score[1] = logs[0, 0], logs[states[1], 0]
    back = np.zeros((steps, len(states)), np.int8)
    for step in range(1, steps):
        for state in range(len(states) - 1, -1, -1):
            best, move = score[state], 0
            if state >= 1 and score[state - 1] > best:
                best, move = score[state - 1], 1
            skips = state >= 2 and states[state] != 0 and states[state] != states[state - 2]
            if skips and score[state - 2] > best:
                best, move = score[state - 2], 2
            score[state] = best + logs[states[state], step]
            back[step, state] = move
    state = len(states) - 1 if score[-1] >= score[-2] else len(states) - 2
    label_steps = np.full((count, 2), -1, np.int64)
    for step in range(steps - 1, -1, -1):
        if state % 2:
            if label_steps[state // 2, 1] < 0:
                label_steps[state // 2, 1] = step
            label_steps[state // 2, 0] = step
        state -= back[step, state]
    return label_steps
