"""Figures of scikit-learn and SciPy that the tests of metrics and statistics compare with.

python tests/support/knn_figures.py > tests/fixtures/knn/figures.json
"""
import json, sys
import numpy as np, scipy, sklearn
from scipy import stats
from sklearn import metrics as m

rng = np.random.default_rng(20261122)


def metric_case(rows, labels, density, distinct):
    truth = (rng.random((rows, labels)) < density).astype(int)
    predicted = np.where(rng.random((rows, labels)) < 0.75, truth, 1 - truth)
    scores = np.round(np.clip(0.6 * truth + rng.random((rows, labels)) * 0.7, 0, 1.3) / 1.3 * distinct) / distinct
    truth[0], truth[1], truth[:, -1], predicted[:, -1] = 0, 1, 0, 0
    f = {}
    for avg in ('samples', 'micro', 'macro', 'weighted'):
        name = avg.capitalize()
        p, r, f1, _ = m.precision_recall_fscore_support(truth, predicted, average=avg, zero_division=0)
        f['precision' + name], f['recall' + name], f['f1' + name] = p, r, f1
        if avg != 'samples':
            f['jaccard' + name] = m.jaccard_score(truth, predicted, average=avg, zero_division=0)
    f['accuracy'] = m.jaccard_score(truth, predicted, average='samples', zero_division=0)
    f['hammingLoss'] = m.hamming_loss(truth, predicted)
    f['exactMatch'] = m.accuracy_score(truth, predicted)
    f['rankingLossHard'] = m.label_ranking_loss(truth, predicted)
    f['rankingLoss'] = m.label_ranking_loss(truth, scores)
    f['coverage'] = m.coverage_error(truth, scores)
    f['averagePrecision'] = m.label_ranking_average_precision_score(truth, scores)
    # scikit-learn has no one-error; argmax takes the first of equals.
    first = truth[np.arange(rows), scores.argmax(1)]
    f['oneError'] = float(np.where(truth.sum(1) == 0, 0, 1 - first).mean())
    p, r, f1, s = m.precision_recall_fscore_support(truth, predicted, average=None, zero_division=0)
    j = m.jaccard_score(truth, predicted, average=None, zero_division=0)
    per = [dict(precision=float(p[i]), recall=float(r[i]), f1=float(f1[i]), jaccard=float(j[i]), support=int(s[i]),
                predicted=int(predicted[:, i].sum())) for i in range(labels)]
    return dict(rows=rows, labels=labels, truth=truth.ravel().tolist(), predicted=predicted.ravel().tolist(),
                scores=scores.ravel().tolist(), metrics={k: float(v) for k, v in f.items()}, perLabel=per)


def friedman_case(blocks, methods, decimals):
    s = np.round(0.5 + 0.03 * np.arange(methods) + 0.1 * rng.random((blocks, methods)), decimals)
    chi, p = stats.friedmanchisquare(*s.T)
    f = (blocks - 1) * chi / (blocks * (methods - 1) - chi)
    ranks = stats.rankdata(-s, axis=1).mean(0)
    unit = np.sqrt(methods * (methods + 1) / (6 * blocks))
    q = stats.studentized_range
    pairs = [[a, b, float(q.sf(abs(ranks[a] - ranks[b]) / unit * np.sqrt(2), methods, np.inf))]
             for a in range(methods) for b in range(a + 1, methods)]
    return dict(scores=s.tolist(), meanRanks=ranks.tolist(), chiSquare=float(chi), pValue=float(p), f=float(f),
                fPValue=float(stats.f.sf(f, methods - 1, (methods - 1) * (blocks - 1))),
                criticalDifference={str(a): float(q.ppf(1 - a, methods, np.inf) / np.sqrt(2) * unit) for a in (0.05, 0.1)},
                pairs=pairs)


def wilcoxon_case(n, decimals, exact):
    a = np.round(0.5 + 0.2 * rng.random(n), decimals)
    b = np.round(a + 0.03 + 0.1 * rng.standard_normal(n), decimals)
    # Rounded again, so that equal differences are equal in floating point too.
    d = np.round(a - b, decimals)
    method = stats.PermutationMethod(n_resamples=np.inf) if exact == 'permutations' else exact
    w = stats.wilcoxon(d[d != 0], method=method, correction=False)
    return dict(a=d.tolist(), b=[0.0] * n, statistic=float(w.statistic), pValue=float(w.pvalue))


json.dump(dict(
    made=dict(by='tests/support/knn_figures.py', numpy=np.__version__, scipy=scipy.__version__, sklearn=sklearn.__version__),
    metrics=[metric_case(12, 5, 0.4, 1000), metric_case(40, 9, 0.2, 4)],
    friedman=[friedman_case(9, 4, 6), friedman_case(12, 6, 2), friedman_case(5, 3, 1)],
    wilcoxon=[wilcoxon_case(10, 9, 'exact'), wilcoxon_case(30, 9, 'exact'), wilcoxon_case(11, 2, 'permutations'),
              wilcoxon_case(80, 9, 'approx'), wilcoxon_case(120, 2, 'approx')],
), sys.stdout, indent=None)
