"""Train the DGA model: `python -m analyzer.models.training.dga --benign FILE ... --out DIR`.

The networks see n-gram sums of names and families that the n-grams' weights were not fitted to
(stacking: Wolpert, "Stacked Generalization", Neural Networks 5, 1992), and the calibration sees
scores of names and families that neither was fitted to.
"""

from __future__ import annotations

import argparse
import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier

from analyzer.models.dga import (
    HIGHEST,
    LOWEST,
    VIEWS,
    WORD_STEPS,
    DgaModel,
    features,
    standardised,
    word_reuse,
)
from analyzer.models.dga_text import BUCKETS, ORDERS, Floats, Labels, Words, ngram_buckets
from analyzer.models.model_file import Arrays, save_model
from analyzer.models.training.dga_hosts import HOST_NAMES, honest_hosts
from analyzer.models.training.dga_material import (
    FOLDS,
    HELD_OUT,
    Material,
    Named,
    is_held_out,
    material,
    read_families,
    read_names,
)
from analyzer.models.training.dga_words import Dictionary, dictionary, language_words

FALSE_POSITIVES = (0.01, 0.001)
"""Shares of honest names at which figures are given."""

_WORDS = 16_000
_PENALTY = 0.2
_UNITS, _NETWORKS, _EPOCHS = 32, 2, 14
_KNOTS = 96
_HOSTS = 500
_LARGEST_WEIGHT = 127


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
    step = float(np.abs(model.coef_).max()) / _LARGEST_WEIGHT
    return Ngrams(np.round(model.coef_[0] / step).astype(np.int8), step, float(model.intercept_[0]))


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


def word_arrays(known: Dictionary) -> Arrays:
    """The dictionary as it is kept, in alphabetic order."""
    order = sorted(range(len(known.words)), key=known.words.__getitem__)

    def steps(values: Sequence[float]) -> npt.NDArray[np.int8]:
        return np.round(np.array([values[i] for i in order]) * WORD_STEPS).astype(np.int8)

    text = "\n".join(known.words[i] for i in order)
    return {
        "words": np.frombuffer(text.encode("ascii"), np.uint8),
        "word_log": steps(known.log_probabilities),
        "word_plain": steps(known.plainness),
        "word_share": steps([float(np.log(share)) for share in known.shares]),
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


def family_figures(trained: Material, unseen: Unseen) -> dict[str, dict[str, float]]:
    """Of each real family, how well it is told from held-out names by models that never saw it."""
    figures = {}
    families, folds = np.array(trained.family), np.array(trained.fold)
    for family in sorted(set(trained.family) - {""}):
        own = families == family
        honest = unseen.held_out[int(folds[own][0])]
        figures[family] = separation(honest, unseen.scores[own])
    return figures


def add_host_figures(
    figures: dict[str, dict[str, float]], trained: Material, unseen: Unseen, model: DgaModel
) -> None:
    """Add the share of hosts found that ask for so many names of a family, none of which exist."""
    families = np.array(trained.family)
    ratios = np.interp(unseen.scores, model.scores, model.ratios)
    for family, found in figures.items():
        own = np.flatnonzero(families == family)
        words = [model.words_in(trained.labels[i]) for i in own]
        found |= hosts_found(np.random.default_rng(0), ratios[own], words, model)


def hosts_found(
    rng: np.random.Generator, ratios: Floats, words: Sequence[Sequence[str]], model: DgaModel
) -> dict[str, float]:
    """The share of simulated hosts above the threshold, by how many of the names they ask for.

    Args:
        rng: draws the hosts.
        ratios: log-likelihood ratios of the names of one family.
        words: the words of each.
        model: the thresholds.
    """
    clipped = np.clip(ratios, LOWEST, HIGHEST)
    figures = {}
    for names in (20, 50):
        _, threshold = model.honest_sum(VIEWS.index("refused"), names)
        sums = []
        for _ in range(_HOSTS):
            picked = rng.permutation(ratios.size)[:names]
            reuse, _ = word_reuse([words[i] for i in picked], model.word_shares)
            sums.append(clipped[picked].sum() + reuse)
        share = float((np.array(sums) > threshold).mean())
        figures[f"hosts found with {names} names"] = round(share, 4)
    return figures


def separation(honest: Floats, generated: Floats) -> dict[str, float]:
    """The area under the ROC curve, and the share found at each false positive rate."""
    kinds = np.concatenate([np.zeros(honest.size), np.ones(generated.size)])
    figures = {"auc": float(roc_auc_score(kinds, np.concatenate([honest, generated])))}
    for share in FALSE_POSITIVES:
        threshold = np.quantile(honest, 1 - share)
        figures[f"found at {share:.1%}"] = float((generated > threshold).mean())
    return {name: round(value, 4) for name, value in figures.items()}


def train(
    honest: Sequence[Named],
    long_tail: frozenset[str],
    families: dict[str, list[str]],
    ranked: Sequence[str],
    seed: int = 1,
) -> tuple[Arrays, dict[str, Any]]:
    """The model's arrays and the figures for its card.

    Args:
        honest: honest names.
        long_tail: the labels among them that are of the long tail.
        families: labels of real families.
        ranked: words of a language, the commonest first.
        seed: draws pseudo-families, samples and hosts.
    """
    words = language_words(ranked)
    kept = {each.label: each.label in long_tail for each in honest if not is_held_out(each.label)}
    held_out = [each for each in honest if is_held_out(each.label)]
    known = dictionary(words, sorted(kept), _WORDS)
    arrays = word_arrays(known)
    trained = material(kept, families, words, np.random.default_rng(seed))
    fitted, unseen = fit(
        trained,
        [each.label for each in held_out],
        Words.of(known.words, known.log_probabilities, known.plainness),
        seed,
    )
    arrays |= fitted
    real = np.array([family != "" for family in trained.family])
    judged = np.array(trained.generated) & (real if real.any() else ~real)
    tail = np.array([label in long_tail for label in trained.labels]) & ~np.array(trained.generated)
    average = np.mean(unseen.held_out, axis=0)
    arrays |= calibration(
        np.concatenate([average, unseen.scores[tail]]),
        unseen.scores[judged],
        np.array(trained.weight)[judged],
    )
    arrays |= {"host_names": np.array(HOST_NAMES, float), "host_sums": np.zeros((2, 2, 1))}
    model = DgaModel.from_arrays(arrays)
    domains = {each.label: each.domain for each in honest}
    labels = [each.label for each in held_out]
    labels += [label for label, is_tail in zip(trained.labels, tail, strict=True) if is_tail]
    scores = np.concatenate([average, unseen.scores[tail]])
    arrays["host_sums"] = honest_hosts(
        np.random.default_rng(seed),
        np.interp(scores, arrays["scores"], arrays["ratios"]),
        [domains[label] for label in labels],
        [model.words_in(label) for label in labels],
        model.word_shares,
    )
    figures = family_figures(trained, unseen)
    add_host_figures(figures, trained, unseen, DgaModel.from_arrays(arrays))
    card = {
        "honest names": {
            "trained on": len(kept),
            "held out": len(held_out),
            "long tail": len(long_tail),
        },
        "families left out": figures,
        "mean over families left out": {
            name: round(float(np.mean([each[name] for each in figures.values()])), 4)
            for name in next(iter(figures.values()), {})
        },
        "generated names": int(np.sum(trained.generated)),
        "held out": f"labels whose CRC-32 is a multiple of {HELD_OUT}",
        "seed": seed,
    }
    return arrays, card


def main(arguments: Sequence[str] | None = None) -> None:
    """Read names, train, and write ``dga.npz`` and ``dga.json``."""
    parser = argparse.ArgumentParser(description="Train the DGA model.")
    parser.add_argument("--benign", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument(
        "--long-tail", type=Path, nargs="+", default=[], metavar="FILE",
        help="benign names of the long tail, which the calibration rests on",
    )  # fmt: skip
    parser.add_argument("--words", type=Path, required=True, help="words, the commonest first")
    parser.add_argument("--families", type=Path, help="CSV with the columns domain and family")
    parser.add_argument("--date", required=True, help="the date to write into the card")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    given = parser.parse_args(arguments)
    honest = read_names([*given.benign, *given.long_tail])
    arrays, card = train(
        honest,
        frozenset(each.label for each in read_names(given.long_tail)),
        read_families(given.families) if given.families else {},
        given.words.read_text("utf-8").split(),
    )
    files = [*given.benign, *given.long_tail, given.words, *filter(None, [given.families])]
    card |= {
        "date": given.date,
        "data": {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)
        },
    }
    save_model(given.out, "dga", arrays, card)


if __name__ == "__main__":
    main()
