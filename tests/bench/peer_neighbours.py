"""Exact search by FAISS, NumPy and scikit-learn on given vectors, one thread.

peer_neighbours.py vectors.f32 queries.f32 dim k ids.i32
Answers a line of JSON with one: to "names" with those of the searches, to {"name", "batch"} with {"cpu", "wall"}, the
milliseconds of the best of a few runs. Taking turns with the caller keeps a changing machine from favouring either. Writes FAISS's ids first.
"""
import json, os, sys, time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np

# The names of what is compared with, or all: at a million rows each of them takes gigabytes.
wanted = [name for name in os.environ.get("ARCHETONE_BENCH_PEERS", "").split(",") if name]

vectors, queries, dim, k, ids = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
X = np.fromfile(vectors, np.float32).reshape(-1, dim)
Q = np.fromfile(queries, np.float32).reshape(-1, dim)
squares = np.einsum("ij,ij->i", X, X)


def numpy_search(q):
    scores = squares[None] - 2 * (q @ X.T)
    best = np.argpartition(scores, k, axis=1)[:, :k]
    order = np.argsort(np.take_along_axis(scores, best, 1), 1)
    return np.take_along_axis(best, order, 1)


searches = {"NumPy sgemm": numpy_search}
try:
    import faiss

    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatL2(dim)
    flat.add(X)
    searches["FAISS flat"] = lambda q: flat.search(q, k)[1]
except ImportError:
    pass
try:
    from sklearn.neighbors import NearestNeighbors

    brute = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(X)
    searches["scikit-learn brute"] = lambda q: brute.kneighbors(q, return_distance=False)
except ImportError:
    pass
searches = {name: search for name, search in searches.items() if not wanted or name in wanted}
searches[next(n for n in ("FAISS flat", "NumPy sgemm") if n in searches)](Q).astype(np.int32).tofile(ids)
for line in sys.stdin:
    asked = json.loads(line)
    if asked == "names":
        print(json.dumps(list(searches)), flush=True)
        continue
    search, q = searches[asked["name"]], Q[: asked["batch"]]
    cpu = wall = 1e9
    for _ in range(5 if len(q) < 32 else 2):
        start = time.process_time(), time.perf_counter()
        search(q)
        cpu, wall = min(cpu, time.process_time() - start[0]), min(wall, time.perf_counter() - start[1])
    print(json.dumps({"cpu": cpu * 1000, "wall": wall * 1000}), flush=True)
