"""
The peer of the mistakes benchmark: out-of-fold probabilities of a logistic regression on the same embeddings and folds,
ranked by the published rules of confident learning (Northcutt et al. 2021), and by cleanlab itself where it is installed.
Reads a .npz named by the first argument and writes one JSON object: name of a ranking -> scores, highest = most suspicious.
"""
import json
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

data = np.load(sys.argv[1])
x, given, fold, ours = data["vectors"], data["given"], data["fold"], data["probabilities"]
classes = ours.shape[1]

logistic = np.zeros((len(x), classes))
for k in np.unique(fold):
    held = fold == k
    scale = StandardScaler().fit(x[~held])
    model = LogisticRegression(C=0.1, max_iter=1000).fit(scale.transform(x[~held]), given[~held])
    logistic[np.ix_(np.flatnonzero(held), model.classes_)] = model.predict_proba(scale.transform(x[held]))

out = {"logistic regression, self-confidence": -logistic[np.arange(len(x)), given]}
try:
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    for name, p in {"our probabilities": ours, "logistic regression": logistic}.items():
        p = np.clip(p, 1e-6, None)
        p /= p.sum(1, keepdims=True)
        for method in ("self_confidence", "normalized_margin"):
            out[f"cleanlab {method}, {name}"] = -get_label_quality_scores(given, p, method=method)
        issues = find_label_issues(given, p, return_indices_ranked_by="self_confidence")
        score = -get_label_quality_scores(given, p)
        score[issues] += 10
        out[f"cleanlab find_label_issues, {name}"] = score
except ImportError:
    pass
print(json.dumps({name: score.tolist() for name, score in out.items()}))
