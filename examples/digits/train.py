#!/usr/bin/python3
"""Trains the network of the digits example and writes its weights and the held-out images to data/.

    u = A1 x + c1 (96)    h = max(u, 0)    z = A2 h + c2 (10)    f = softmax(z)    x: the 64 pixels of an image, 0..16

Debian 12: apt-get install python3-sklearn, then ./train.py. Seeded and on one thread: the same packages (NumPy 1.24,
scikit-learn 1.2) give the same weights again.
"""
import os

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
PIXEL_MAX = 16.0


def main():
    images, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(images, labels, test_size=450, random_state=7, stratify=labels)
    # weight decay and a little noise on the images keep the weights smooth, so that inverted images still look like digits
    rng = np.random.default_rng(7)
    copies = 4
    noisy = np.vstack([train_x] + [train_x + rng.normal(0.0, 2.0, train_x.shape) for _ in range(copies - 1)])
    network = MLPClassifier(hidden_layer_sizes=(96,), alpha=0.5, max_iter=200, random_state=7)
    network.fit(noisy / PIXEL_MAX, np.tile(train_y, copies))

    # the scaling of the pixels belongs to the first layer: the network takes images as they are
    weights = {
        "A1": network.coefs_[0].T / PIXEL_MAX,
        "c1": network.intercepts_[0],
        "A2": network.coefs_[1].T,
        "c2": network.intercepts_[1],
    }
    hidden = np.maximum(test_x @ weights["A1"].T + weights["c1"], 0.0)
    accuracy = np.mean(np.argmax(hidden @ weights["A2"].T + weights["c2"], axis=1) == test_y)
    print(f"{len(test_y)} held-out images, accuracy {100 * accuracy:.2f} %")
    assert accuracy >= 0.96

    for name, values in weights.items():
        np.save(os.path.join(HERE, name + ".npy"), np.ascontiguousarray(values, dtype=np.float64))
    np.save(os.path.join(HERE, "images.npy"), test_x.astype(np.float32))
    np.save(os.path.join(HERE, "labels.npy"), test_y.astype(np.float32))


main()
