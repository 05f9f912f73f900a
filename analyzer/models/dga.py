"""How much a label looks as if an algorithm had made it: a log-likelihood ratio for every label.

A linear model on hashed character n-grams sees what letters follow each other, and a small network
weighs it with the label's make-up and the words it falls into. What comes out is put on the scale
of a log-likelihood ratio with names that were held out: families that the model had not seen
against the long tail of honest names. The card ``dga.json`` says how well that works.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analyzer.models.dga_text import (
    LONG_WORD,
    ORDERS,
    Floats,
    Labels,
    Words,
    divide,
    make_up,
    ngram_buckets,
    word_features,
)
from analyzer.models.model_file import Arrays, load_model

# Labels scored in one go, so that the tables between stay in the processor's cache.
_PORTION = 8192

# How far from the mean, in standard deviations, a feature still tells anything.
_FURTHEST = 5.0


@dataclass(frozen=True, slots=True)
class DgaModel:
    """The model and what calibrates it.

    Attributes:
        ngrams: the weight of each bucket of n-grams.
        bias: what is added to their sum.
        mean: of each feature.
        deviation: of each feature.
        hidden: weights of the networks' hidden layers: network, feature, unit.
        hidden_bias: likewise: network, unit.
        output: weights of the output: network, unit.
        output_bias: likewise: network.
        words: the dictionary.
        vocabulary: the log probability of each of its words.
        word_shares: share of honest labels that hold a word, by word.
        scores: scores in rising order, for the calibration.
        ratios: the log-likelihood ratio at each.
        host_names: numbers of names for which honest hosts were simulated.
        host_sums: mean and quantile of their sums: view, statistic, number of names.
    """

    ngrams: npt.NDArray[np.float32]
    bias: float
    mean: Floats
    deviation: Floats
    hidden: Floats
    hidden_bias: Floats
    output: Floats
    output_bias: Floats
    words: Words
    vocabulary: Mapping[str, float]
    word_shares: Mapping[str, float]
    scores: Floats
    ratios: Floats
    host_names: Floats
    host_sums: Floats

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> DgaModel:
        """The model that the arrays of its file describe.

        Raises:
            KeyError: an array is missing.
        """
        text = arrays["words"].tobytes().decode("ascii")
        word_list = tuple(text.split())
        word_log = arrays["word_log"] / WORD_STEPS
        # Most probable first, as the dictionary wants them; the file has them in alphabetic order.
        order = np.argsort(-word_log, kind="stable")
        words = Words.of(
            [word_list[i] for i in order], word_log[order], arrays["word_plain"][order] / WORD_STEPS
        )
        exact = {name: np.asarray(arrays[name], float) for name in _EXACT}
        return cls(
            ngrams=(arrays["ngrams"] * arrays["ngram_step"]).astype(np.float32),
            bias=float(arrays["bias"]),
            words=words,
            vocabulary=dict(zip(word_list, word_log.tolist(), strict=True)),
            word_shares=dict(
                zip(word_list, np.exp(arrays["word_share"] / WORD_STEPS).tolist(), strict=True)
            ),
            **exact,
        )

    def features(self, labels: Sequence[str]) -> Floats:
        """What the networks see of each label, see :func:`features`."""
        return features(Labels.of(labels), self.ngrams, self.bias, self.words)

    def score(self, labels: Sequence[str]) -> Floats:
        """The networks' mean logit for each label; higher for generated ones."""
        result = np.zeros(len(labels))
        for start in range(0, len(labels), _PORTION):
            part = labels[start : start + _PORTION]
            inputs = standardised(self.features(part), self.mean, self.deviation)
            result[start : start + len(part)] = self.networks(inputs)
        return result

    def networks(self, inputs: Floats) -> Floats:
        """The mean logit of the networks for standardised features."""
        units = np.tanh(inputs @ self.hidden + self.hidden_bias[:, None, :])
        logits = (units @ self.output[:, :, None])[:, :, 0] + self.output_bias[:, None]
        return np.asarray(logits.mean(axis=0), float)

    def log_likelihood_ratio(self, labels: Sequence[str]) -> Floats:
        """How much likelier each label is from an algorithm than from a person, as a logarithm.

        Natural logarithm, never falling with the score. A label in Punycode says nothing (0): its
        letters are another alphabet's, and no known algorithm makes such labels.
        """
        ratios = np.interp(self.score(labels), self.scores, self.ratios)
        foreign = np.fromiter((label.startswith("xn--") for label in labels), np.bool_, len(labels))
        return np.where(foreign, 0.0, ratios)

    def words_in(self, label: str) -> list[str]:
        """The words of four letters or more that the label most probably falls into."""
        return [word for word in divide(label, self.vocabulary) if len(word) >= LONG_WORD]

    def honest_sum(self, view: int, names: int) -> tuple[float, float]:
        """What an honest host's names add up to: the mean and the 1e-4 quantile.

        Args:
            view: index into :data:`VIEWS`.
            names: how many names there are.
        """
        mean, tail = self.host_sums[view]
        scale = max(1.0, names / self.host_names[-1])
        expected = float(np.interp(names, self.host_names, mean)) * scale
        return expected, float(np.interp(names, self.host_names, tail)) * scale


VIEWS = ("refused", "any")
"""Ways to add up a host's names: those that do not exist, whose doubts count too, with the words
that come back; and all names, of which only the suspicious count."""

LOWEST, HIGHEST = -1.0, 4.0
"""Where log-likelihood ratios are cut before they are added: no single name decides."""

WORD_STEPS = 8.0
"""Logarithms of the dictionary are kept in eighths."""

_EXACT = (
    "mean", "deviation", "hidden", "hidden_bias", "output", "output_bias", "scores", "ratios",
    "host_names", "host_sums",
)  # fmt: skip


def features(labels: Labels, ngrams: npt.NDArray[np.float32], bias: float, words: Words) -> Floats:
    """What the networks see: n-grams added up, a character by order and in all, make-up, words."""
    size = np.maximum(labels.lengths, 1)
    sums = []
    for order in ORDERS:
        buckets, within = ngram_buckets(labels, order)
        sums.append(labels.sums(np.where(within, ngrams[buckets], np.float32(0))))
    total = np.sum(sums, axis=0) + bias
    return np.column_stack(
        [
            total,
            *(each / size for each in sums),
            total / size,
            make_up(labels),
            word_features(labels, words),
        ]
    )


def standardised(values: Floats, mean: Floats, deviation: Floats) -> Floats:
    """Features on one scale, outliers cut."""
    return np.clip((values - mean) / deviation, -_FURTHEST, _FURTHEST)


def word_reuse(
    labels: Sequence[Collection[str]], shares: Mapping[str, float], most: float = 10.0
) -> tuple[float, list[str]]:
    """How much more often words come back among labels than they would among honest ones.

    The sum over words of the log-likelihood ratio of their number of labels, Poisson distributed
    with the rate seen against the rate among honest labels, each at most `most`. Algorithms that
    draw from a word list repeat its words sooner than chance allows.

    Args:
        labels: for each label its words.
        shares: share of honest labels that hold each word.
        most: a single word's largest contribution.

    Returns:
        The sum, and the words that repeat, those that weigh most first.
    """
    counts = Counter(word for label in labels for word in set(label))
    weights = {}
    for word, count in counts.items():
        expected = len(labels) * max(shares.get(word, 0.0), RAREST_SHARE)
        if count > max(1, expected):
            weights[word] = min(count * math.log(count / expected) - (count - expected), most)
    order = sorted(weights, key=lambda word: (-weights[word], word))
    return sum(weights[word] for word in order), order


RAREST_SHARE = 3e-4
"""Share of honest labels that a word is taken to be in at least: interests repeat words, too."""


@functools.cache
def shipped_model() -> DgaModel:
    """The model that comes with the package.

    Raises:
        ModelError: its files are missing or damaged.
    """
    arrays, _ = load_model("dga")
    return DgaModel.from_arrays(arrays)


def model_card() -> dict[str, Any]:
    """What the model that comes with the package was made of, and how well it does."""
    return load_model("dga")[1]
