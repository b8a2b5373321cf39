"""How near the names of rows are to a query, by the edits between them, word by word."""

from __future__ import annotations

import numpy as np
from numba import njit
from rapidfuzz.distance import OSA, JaroWinkler, Indel
from rapidfuzz.process import cdist

from retrievers.name_table import Gathered

P = dict(scorer=OSA.normalized_similarity, gamma=1.0, cut=0.5, lam=0.3, pre=0.9, pren=0.0, whole=1.0, wpow=1.0, art=0.7, wgamma=1.0)
WORDS = 16

def closeness(typed, found, weights, title, complete=False, p=P):
    typed = typed[:WORDS]
    spelt = found.spelt
    s = cdist(typed, spelt, scorer=p["scorer"], score_cutoff=p["cut"], dtype=np.float32)
    last = typed[-1]
    L = len(last)
    if p["pre"]>0:
        heads = [w[:L] for w in spelt]
        begun = cdist([last], heads, scorer=p["scorer"], score_cutoff=p["cut"], dtype=np.float32)[0]
        lens = np.fromiter(map(len, spelt), np.float64, len(spelt))
        begun = begun * (p["pre"] + p["pren"] * np.minimum(L / lens, 1.0))
        s[-1] = np.maximum(s[-1], begun)
    else:
        lens = np.fromiter(map(len, spelt), np.float64, len(spelt))
    if p["gamma"] != 1: s = s ** p["gamma"]
    whole = cdist([" ".join(typed)], found.texts, scorer=p["scorer"], score_cutoff=p["cut"], dtype=np.float32)[0]
    if p["wgamma"] != 1: whole = whole ** p["wgamma"]
    wl = np.array([len(w) for w in typed], np.float64) ** p["wpow"]
    return _fit(s, wl, lens ** p["wpow"], whole.astype(np.float64) * p["whole"], found.starts, found.fields, found.names, found.word_starts, found.words, weights, title, p["lam"])

@njit(nogil=True, cache=True)
def _fit(s, typed, lengths, whole, starts, kinds, names, word_starts, words, weights, title, lam):
    n, q = starts.size - 1, typed.size
    total = typed.sum()
    out = np.zeros((n, 4), np.float32)
    near_all, near = np.empty(q), np.empty(q)
    for i in range(n):
        near_all[:] = 0.0
        had_all = 0.0
        length_all = 0.0
        best = 0.0
        for e in range(starts[i], starts[i + 1]):
            name = names[e]
            near[:] = 0.0
            had = 0.0
            length = 0.0
            for w in range(word_starts[name], word_starts[name + 1]):
                word = words[w]
                m = 0.0
                for t in range(q):
                    v = s[t, word]
                    if v > near[t]:
                        near[t] = v
                    if v > m:
                        m = v
                had += m * lengths[word]
                length += lengths[word]
            cov = (near * typed).sum() / total
            ncov = had / length
            sim = max(cov * (1 - lam * (1 - ncov)), whole[name])
            if kinds[e] == title and sim > out[i, 0]:
                out[i, 0] = sim
            if sim * weights[kinds[e]] > best:
                best = sim * weights[kinds[e]]
                out[i, 3] = ncov
            for t in range(q):
                near_all[t] = max(near_all[t], near[t])
            had_all += had
            length_all += length
        cov = (near_all * typed).sum() / total
        if starts[i + 1] - starts[i] > 1:
            ncov = had_all / length_all
            sim = cov * (1 - lam * (1 - ncov))
            if sim > best:
                best = sim
                out[i, 3] = ncov
        out[i, 1] = best
        out[i, 2] = cov
    return out
