"""Fitting the DGA model: n-gram weights, the networks on top of them, and the calibration.

The networks see n-gram sums of names and families that the n-grams' weights were not fitted to
(stacking: Wolpert, "Stacked Generalization", Neural Networks 5, 1992), and the calibration sees
scores of names and families that neither was fitted to.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from analyzer.models.dga import features, standardised
from analyzer.models.dga_text import BUCKETS, ORDERS, Floats, Labels, Words, ngram_buckets
from analyzer.models.model_file import Arrays
from analyzer.models.training.dga_material import FOLDS, Material

_PENALTY = 0.2
_UNITS, _NETWORKS, _EPOCHS = 32, 3, 14
_KNOTS = 96
_LARGEST_WEIGHT, _CUT = 127, 0.9995


@dataclass(frozen=True, slots=True)
class Ngrams:
    """A fitted linear model of n-grams, as it is kept: in whole steps."""

    weights: npt.NDArray[np.int8]
    step: float
    bias: float

    def inputs(self, labels: Sequence[str], words: Words) -> Floats:
        """What the networks see of labels."""
        return features(
            Labels.of(labels), (self.weights * self.step).astype(np.float32), self.bias, words
        )


def fit_ngrams(labels: Sequence[str], generated: Floats, weight: Floats) -> Ngrams:
    """Logistic regression on n-gram counts."""
    encoded = Labels.of(labels)
    rows, columns = [], []
    for order in ORDERS:
        buckets, within = ngram_buckets(encoded, order)
        rows.append(encoded.owner[within])
        columns.append(buckets[within])
    row, column = np.concatenate(rows), np.concatenate(columns)
    counts = sparse.csr_matrix(
        (np.ones(row.size, np.float32), (row, column)), shape=(len(labels), BUCKETS)
    )
    model = LogisticRegression(C=_PENALTY, max_iter=80, tol=1e-3)
    with warnings.catch_warnings():
        # What is still to gain then is below a step of the weights.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(counts, generated, sample_weight=weight * (len(labels) / weight.sum()))
    weights = model.coef_[0]
    # The few largest weights are cut, so that the steps are small enough for the others.
    largest = np.quantile(np.abs(weights), _CUT)
    step = max(float(largest), np.finfo(float).tiny) / _LARGEST_WEIGHT
    whole = np.clip(np.round(weights / step), -_LARGEST_WEIGHT, _LARGEST_WEIGHT)
    return Ngrams(whole.astype(np.int8), step, float(model.intercept_[0]))


def fit_networks(
    inputs: Floats, generated: Floats, weight: Floats, rng: np.random.Generator
) -> Arrays:
    """Small networks on standardised features, with the names that they are standardised by."""
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    drawn = rng.choice(generated.size, generated.size, p=weight / weight.sum())
    seen = standardised(inputs[drawn], mean, deviation)
    networks = []
    with warnings.catch_warnings():
        # The number of epochs is what keeps them from learning the pseudo-families by heart.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for number in range(_NETWORKS):
            network = MLPClassifier(
                (_UNITS,), activation="tanh", alpha=1e-3, batch_size=512,
                max_iter=_EPOCHS, random_state=number,
            )  # fmt: skip
            networks.append(network.fit(seen, generated[drawn]))
    return {
        "mean": mean.astype(np.float32),
        "deviation": deviation.astype(np.float32),
        "hidden": np.array([each.coefs_[0] for each in networks], np.float32),
        "hidden_bias": np.array([each.intercepts_[0] for each in networks], np.float32),
        "output": np.array([each.coefs_[1][:, 0] for each in networks], np.float32),
        "output_bias": np.array([each.intercepts_[1][0] for each in networks], np.float32),
    }


@dataclass(frozen=True, slots=True)
class Unseen:
    """Scores of what the scoring models were not fitted to.

    Attributes:
        scores: of the material, each label by the models that its fold was left out of.
        held_out: of the held-out honest labels, by the models of each fold.
    """

    scores: Floats
    held_out: list[Floats]


def fit(
    trained: Material, held_out: Sequence[str], words: Words, seed: int
) -> tuple[Arrays, Unseen]:
    """Fit everything on all material, and as often without a fold as there are folds."""
    generated, weight = np.array(trained.generated, float), np.array(trained.weight)
    fold = np.array(trained.fold)
    inputs = np.zeros(0)
    held_out_inputs = []
    for left_out in range(FOLDS):
        kept, rest = np.flatnonzero(fold != left_out), np.flatnonzero(fold == left_out)
        ngrams = fit_ngrams([trained.labels[i] for i in kept], generated[kept], weight[kept])
        found = ngrams.inputs([trained.labels[i] for i in rest], words)
        if not inputs.size:
            inputs = np.zeros((fold.size, found.shape[1]))
        inputs[rest] = found
        held_out_inputs.append(ngrams.inputs(held_out, words))
    scores, held_out_scores = np.zeros(fold.size), []
    for left_out in range(FOLDS):
        kept, rest = np.flatnonzero(fold != left_out), np.flatnonzero(fold == left_out)
        rng = np.random.default_rng(seed)
        networks = fit_networks(inputs[kept], generated[kept], weight[kept], rng)
        scores[rest] = _logits(networks, inputs[rest])
        held_out_scores.append(_logits(networks, held_out_inputs[left_out]))
    ngrams = fit_ngrams(trained.labels, generated, weight)
    arrays = fit_networks(inputs, generated, weight, np.random.default_rng(seed))
    arrays |= {
        "ngrams": ngrams.weights,
        "ngram_step": np.array(ngrams.step),
        "bias": np.array(ngrams.bias),
    }
    return arrays, Unseen(scores, held_out_scores)


def _logits(networks: Arrays, inputs: Floats) -> Floats:
    seen = standardised(inputs, networks["mean"], networks["deviation"])
    units = np.tanh(seen @ networks["hidden"] + networks["hidden_bias"][:, None, :])
    logits = (units @ networks["output"][:, :, None])[:, :, 0]
    return np.asarray((logits + networks["output_bias"][:, None]).mean(axis=0), float)


def calibration(honest: Floats, generated: Floats, weight: Floats) -> Arrays:
    """Scores and the log-likelihood ratio at each, rising: isotonic regression, both kinds even.

    Isotonic regression calibrates without assuming a shape (Zadrozny and Elkan, "Transforming
    Classifier Scores into Accurate Multiclass Probability Estimates", KDD 2002).
    """
    scores = np.concatenate([honest, generated])
    kinds = np.concatenate([np.zeros(honest.size), np.ones(generated.size)])
    weights = np.concatenate([np.full(honest.size, 1 / honest.size), weight / weight.sum()])
    # No more certain than so many honest names allow.
    least = 1 / honest.size
    fitted = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
    fitted.fit(scores, kinds, sample_weight=weights)
    knots = np.unique(np.quantile(scores, np.linspace(0.0, 1.0, _KNOTS)))
    chance = fitted.predict(knots)
    return {"scores": knots, "ratios": np.maximum.accumulate(np.log(chance / (1 - chance)))}
