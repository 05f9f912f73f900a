"""How quickly random cuts set a row apart: an Isolation Forest, fitted on a reference.

Liu, Ting and Zhou, "Isolation Forest" (ICDM 2008) and "Isolation-Based Anomaly Detection" (ACM
TKDD 6, 2012), whose 100 trees of 256 rows are enough; scikit-learn grows ours with a fixed seed.
Its own scoring walks tree by tree, which costs milliseconds for a single row; all trees
are walked at once here, a level at a time.
"""

from __future__ import annotations

import numpy as np

from analyzer.baseline.histograms import Codes, Floats

TREES = 100
ROWS_A_TREE = 256
SEED = 0
# Rows that are walked together: as many positions as trees for each.
_CHUNK = 16_384
_EULER = 0.5772156649015329


class Forest:
    """A forest, ready to say how anomalous rows are.

    Args:
        reference: (rows, features), finite, at least two rows.
    """

    def __init__(self, reference: Floats) -> None:
        from sklearn.ensemble import IsolationForest  # noqa: PLC0415 - takes a second to import

        size = min(ROWS_A_TREE, len(reference))
        grown = IsolationForest(
            n_estimators=TREES, max_samples=size, random_state=SEED, n_jobs=1
        ).fit(reference)
        trees = [each.tree_ for each in grown.estimators_]
        begins = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
        self._roots: Codes = begins.astype(np.int64)
        leaves = [tree.children_left < 0 for tree in trees]
        self._feature = np.concatenate(
            [np.where(leaf, 0, tree.feature) for tree, leaf in zip(trees, leaves, strict=True)]
        )
        # A leaf leads to itself.
        self._threshold = np.concatenate(
            [
                np.where(leaf, np.inf, tree.threshold)
                for tree, leaf in zip(trees, leaves, strict=True)
            ]
        )
        self._left, self._right = (
            np.concatenate(
                [
                    np.where(leaf, np.arange(tree.node_count), getattr(tree, side)) + begin
                    for tree, leaf, begin in zip(trees, leaves, begins, strict=True)
                ]
            )
            for side in ("children_left", "children_right")
        )
        self._depth = max(tree.max_depth for tree in trees)
        self._length = np.concatenate([_path_lengths(tree) for tree in trees])
        self._average = _average_path(np.array([size]))[0]

    def anomaly(self, rows: Floats) -> Floats:
        """The anomaly score of each row, in (0, 1): 0.5 for an ordinary one."""
        # The trees were grown on 32 bits.
        rows = rows.astype(np.float32)
        result = np.empty(len(rows))
        for begin in range(0, len(rows), _CHUNK):
            part = rows[begin : begin + _CHUNK]
            at = np.repeat(self._roots[None, :], len(part), axis=0)
            begins = np.arange(len(part))[:, None] * part.shape[1]
            flat = part.ravel()
            for _ in range(self._depth):
                goes_left = flat.take(begins + self._feature.take(at)) <= self._threshold.take(at)
                at = np.where(goes_left, self._left.take(at), self._right.take(at))
            mean = self._length.take(at).mean(axis=1)
            result[begin : begin + _CHUNK] = np.exp2(-mean / self._average)
        return result


def _average_path(sizes: Codes) -> Floats:
    """c(n): the average path to a row among n (Liu et al. 2008, equation 1)."""
    sizes = sizes.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        many = 2.0 * (np.log(sizes - 1.0) + _EULER) - 2.0 * (sizes - 1.0) / sizes
    result: Floats = np.where(sizes > 2, many, np.where(sizes > 1, 1.0, 0.0))  # noqa: PLR2004 - c(2) is 1
    return result


def _path_lengths(tree: object) -> Floats:
    """The path to each node of a tree, with what is left below its leaves."""
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]
    depth = np.zeros(len(left))
    nodes = np.array([0])
    while nodes.size:
        parents = nodes[left[nodes] >= 0]
        nodes = np.concatenate([left[parents], right[parents]])
        depth[nodes] = np.tile(depth[parents] + 1.0, 2)
    below: Floats = depth + _average_path(tree.n_node_samples)  # type: ignore[attr-defined]
    return below
