#!/usr/bin/env python3
"""A head over a vocabulary: which hidden state predicts the words that a corpus has after a given word?

    examples/vocabulary/vocabulary.py [--words M] [--megabytes B] [--hessian exact|sampled] [WORD ...]

The corpus are the English texts of the Debian packages on this machine, of which B megabytes are read in a seeded order. It gives all
there is in the problem: the M most frequent words, how often each comes next to each other (in a window of two), their embeddings V
(M x 256), by a truncated singular value decomposition of the positive mutual information, and the targets b: the distribution of the
word that comes after WORD. The network is a head as language models have it,

    f(x) = softmax(V A1' relu(A1 x) 2/n + log p),   A1: 512 x 256 Gaussian,   p the words' frequencies,

so that x = 0 predicts p. Told are the relative entropy KL(b, f) at x = 0 and at the x that was found, and the words likeliest in b and f.
"""
import argparse
import gzip
import hashlib
import os
import random
import re
import sys
import time
from collections import Counter

import numpy as np
import scipy.sparse as sparse

import softrelu

ROOTS = ["/usr/share/doc", "/usr/share/common-licenses", "/usr/share/perl", "/usr/lib/python3", "/usr/lib/python3.11"]
RANK, HIDDEN, WINDOW, SEED = 256, 512, 2, 1


def texts(megabytes):
    """Texts as lists of words, each text once, until so much has been read."""
    paths = sorted(os.path.join(folder, name) for root in ROOTS for folder, _, names in os.walk(root) for name in names)
    random.Random(SEED).shuffle(paths)
    left, seen = megabytes * 1e6, set()
    for path in paths:
        if os.path.islink(path) or left <= 0:
            continue
        try:
            with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
                text = file.read(1 << 20)
        except (OSError, EOFError):
            continue
        digest = hashlib.sha1(text).digest()
        if b"\0" in text or digest in seen:
            continue
        seen.add(digest)
        left -= len(text)
        yield re.findall(rb"[a-z]+", text.lower())


def count(megabytes, limit):
    """The words by frequency, how often each came (M), and how often word j came after word i (M x M), within the window on both sides."""
    corpus = list(texts(megabytes))
    frequency = Counter()
    for text in corpus:
        frequency.update(text)
    words = [word for word, _ in sorted(frequency.items(), key=lambda item: (-item[1], item[0]))[:limit]]
    index = {word: i for i, word in enumerate(words)}
    tokens = np.array([index.get(word, -1) for text in corpus for word in [*text, b""]], dtype=np.int32)
    m = len(words)

    def pairs(distance):
        first, second = tokens[:-distance], tokens[distance:]
        both = (first >= 0) & (second >= 0)
        return sparse.csr_matrix((np.ones(both.sum(), dtype=np.float32), (first[both], second[both])), shape=(m, m))

    following = pairs(1)
    near = sum((pairs(distance) for distance in range(2, WINDOW + 1)), following)
    return [word.decode() for word in words], np.bincount(tokens[tokens >= 0], minlength=m), following, near + near.T


def embeddings(near):
    """V with V V' about the positive pointwise mutual information, by a randomised singular value decomposition."""
    total, each = near.sum(), np.asarray(near.sum(axis=1)).ravel()
    information = near.tocoo()
    values = np.log(information.data * total / (each[information.row] * each[information.col]))
    positive = values > 0
    matrix = sparse.csr_matrix((values[positive].astype(np.float32), (information.row[positive], information.col[positive])), near.shape)
    basis = np.random.default_rng(SEED).standard_normal((near.shape[0], RANK + 16), dtype=np.float32)
    for _ in range(2):  # the matrix is symmetric: powers sharpen the basis
        basis = np.linalg.qr(matrix @ basis)[0]
    eigenvalues, vectors = np.linalg.eigh(basis.T @ (matrix @ basis))
    largest = np.argsort(-abs(eigenvalues))[:RANK]
    return basis @ vectors[:, largest] * np.sqrt(abs(eigenvalues[largest]))


def relative_entropy(b, f):
    on = b > 0
    return float((b[on] * np.log(b[on] / f[on])).sum())


def main():
    parser = argparse.ArgumentParser(description="A head over a vocabulary; see the top of the file.")
    parser.add_argument("--words", type=int, default=50000)
    parser.add_argument("--megabytes", type=float, default=40)
    parser.add_argument("--hessian", default="exact")
    parser.add_argument("word", nargs="*", default=["file", "free", "memory", "without"])
    arguments = parser.parse_args()

    began = time.perf_counter()
    words, frequency, following, near = count(arguments.megabytes, arguments.words)
    V = embeddings(near)
    m = len(words)
    print(f"{frequency.sum()} words of text, {m} different ones, {near.nnz} pairs; embeddings of {RANK} numbers:"
          f" {time.perf_counter() - began:.1f} s")

    A1 = np.random.default_rng(SEED).standard_normal((HIDDEN, RANK))
    A2 = (V @ A1.T.astype(np.float32) * (2 / HIDDEN)).astype(np.float32)
    p = frequency / frequency.sum()
    began = time.perf_counter()
    problem = softrelu.Problem(A1, p, A2=A2, c2=np.log(p), rho=1e-4, loss="kl")
    solver = softrelu.Solver(problem, hessian=arguments.hessian)
    print(f"problem and solver: {time.perf_counter() - began:.1f} s")
    solved = failed = 0
    for word in arguments.word:
        if word not in words:
            print(f"\n{word}: not in the corpus")
            continue
        b = following[words.index(word)].toarray().ravel().astype(float)
        b /= b.sum()
        began = time.perf_counter()
        result = solver.solve(b=b)
        seconds = time.perf_counter() - began
        f = problem.at(result.x).prediction
        before, after = relative_entropy(b, p), relative_entropy(b, f)
        solved += 1
        failed += not result.converged or after >= before
        print(f"\n{word} ...: KL(b, f) {before:.3f} -> {after:.3f}; {result.termination}, {result.certificate.verdict},"
              f" {result.report['iterations']:.0f} iterations, {seconds:.1f} s")
        for name, values in (("b", b), ("f", f)):
            print(f"  {name}  " + "  ".join(f"{words[j]} {values[j]:.3f}" for j in np.argsort(-values)[:8]))
    return 0 if solved > 0 and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
