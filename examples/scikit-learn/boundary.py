#!/usr/bin/env python3
"""Why does this classifier say malignant? The smallest change of a patient's measurements that changes its mind.

    examples/scikit-learn/boundary.py [PATIENTS]

scikit-learn's MLPClassifier is trained on the breast cancer data it comes with (569 patients, 30 measurements of cell nuclei). Its
weights become the problem's: coefs_ are transposed, and x are the scaled measurements, so that one deviation of each counts the same.
For patients of the held-out part the nearest measurements of the other class are found, within the range that
each measurement has in the training data. Its last layer has one output z, the log-odds of class 1: logits (0, z) give the same two
probabilities.
"""
import sys
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

import softrelu

CONFIDENCE = 0.9


def problem_of(model, scaler, lower, upper):
    """The network as it is, between the least and the largest measurements."""
    hidden, output = (weights.T for weights in model.coefs_)
    A2 = np.vstack([np.zeros_like(output), output]) if len(output) == 1 else output
    c2 = np.concatenate([np.zeros(1), model.intercepts_[1]]) if len(output) == 1 else model.intercepts_[1]
    return softrelu.Problem(hidden, np.full(len(A2), 1 / len(A2)), A2=A2, c1=model.intercepts_[0], c2=c2,
                            lower=scaler.transform([lower])[0], upper=scaler.transform([upper])[0], loss="kl")


def main():
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    data = load_breast_cancer()
    X, held_out, y, truth = train_test_split(data.data, data.target, random_state=0)
    scaler = StandardScaler().fit(X)
    warnings.simplefilter("ignore", ConvergenceWarning)
    model = MLPClassifier(hidden_layer_sizes=(40,), alpha=0.1, random_state=0, max_iter=300).fit(scaler.transform(X), y)
    scaled = scaler.transform(held_out)
    print(f"held-out accuracy {model.score(scaled, truth):.3f}")

    problem = problem_of(model, scaler, X.min(axis=0), X.max(axis=0))
    deviation = max(abs(problem.at(x).prediction - p).max() for x, p in zip(scaled[:20], model.predict_proba(scaled[:20])))
    print(f"largest difference from scikit-learn's predict_proba: {deviation:.1e}")
    missing = 0
    for patient in range(patients):
        read = int(model.predict(scaled[patient:patient + 1])[0])
        search = softrelu.counterfactual(problem, scaled[patient], 1 - read, confidence=CONFIDENCE)
        print(f"\npatient {patient}: read as {data.target_names[read]}")
        if not search.answers:
            print(f"  {search.message}")
            missing += 1
            continue
        answer = search.answers[0]
        probability = model.predict_proba(answer.x.reshape(1, -1))[0, 1 - read]
        missing += probability < CONFIDENCE - 1e-6
        print(f"  {data.target_names[1 - read]} with probability {probability:.3f} at a distance of {answer.distance:.2f} deviations,"
              f" {'none nearer around (proved)' if answer.certified else 'not proved the nearest'}; what changes most:")
        before, after = scaler.inverse_transform([scaled[patient], answer.x])
        for k in np.argsort(-abs(answer.x - scaled[patient]))[:4]:
            print(f"    {data.feature_names[k]:24s} {before[k]:10.4g}  ->  {after[k]:10.4g}")
    return 0 if missing == 0 and deviation < 1e-12 else 1


if __name__ == "__main__":
    sys.exit(main())
