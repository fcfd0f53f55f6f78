"""The Python package as its users see it."""
import gc
import os
import signal
import tempfile
import threading
import time
import unittest

import numpy as np

import softrelu


def data(n=40, d=12, m=10, seed=3):
    random = np.random.default_rng(seed)
    return {"A1": random.normal(size=(n, d)), "A2": random.normal(size=(m, n)) / n**0.5, "c1": random.normal(size=n),
            "c2": random.normal(size=m), "b": random.dirichlet(np.ones(m)), "x_ref": random.normal(size=d)}


def problem(**changed):
    return softrelu.Problem(**{**data(), "rho": 1e-2, "loss": "kl", **changed})


class Solves(unittest.TestCase):
    def test_result(self):
        p = problem()
        result = softrelu.solve(p)
        self.assertTrue(result.converged and result.certificate and result.certificate.certified)
        self.assertEqual(result.termination, "converged")
        self.assertEqual(result.x.shape, (p.d,))
        self.assertEqual(len(result.minimisers), 1)
        np.testing.assert_array_equal(result.minimisers[0][0], result.x)
        self.assertEqual(result.trace["loss"][-1], result.loss)
        self.assertEqual(result.report["iterations"], len(result.trace["loss"]) - 1)
        self.assertIsInstance(result.report["iterations"], int)
        self.assertEqual(result.certificate.kinks.sum(), result.report["pinned_kinks"])
        self.assertIsNone(result.certificate.direction)

    def test_solution_is_that_of_the_formulas(self):
        values = data()
        p = problem(rho=0.5)
        result = softrelu.solve(p)

        def loss(x):
            z = values["A2"] @ np.maximum(values["A1"] @ x + values["c1"], 0) + values["c2"]
            return np.log(np.exp(z - z.max()).sum()) + z.max() - values["b"] @ z + 0.25 * np.sum((x - values["x_ref"])**2)
        self.assertAlmostEqual(loss(result.x), result.loss, delta=1e-12)
        random = np.random.default_rng(1)
        for _ in range(100):
            self.assertGreater(loss(result.x + 1e-4 * random.normal(size=p.d)), result.loss)

    def test_layouts_and_precisions(self):
        values = data()
        wide = np.full((40, 30), np.nan)
        wide[:, 5:17] = values["A1"]
        expected = softrelu.solve(problem()).x
        for A1 in (np.asfortranarray(values["A1"]), wide[:, 5:17], np.repeat(values["A1"], 2, axis=1)[:, ::2], values["A1"][::-1][::-1],
                   values["A1"].astype(">f8"), values["A1"].tolist()):
            np.testing.assert_allclose(softrelu.solve(problem(A1=A1)).x, expected, rtol=0, atol=1e-9)  # as far as the residual fixes it
        single = values["A1"].astype(np.float32)
        np.testing.assert_allclose(softrelu.solve(problem(A1=single)).x, softrelu.solve(problem(A1=single.astype(float))).x, atol=1e-9)
        # without a copy: the library reads the array itself
        mine = values["A1"].copy()
        shared, copied = problem(A1=mine), problem(A1=mine, copy=True)
        mine[:] = 0
        self.assertEqual(np.abs(shared.at(expected).preactivations - values["c1"]).max(), 0)
        self.assertGreater(np.abs(copied.at(expected).preactivations - values["c1"]).max(), 0)
        mine = values["A1"].copy()
        shared = problem(A1=mine)
        del mine  # the problem keeps it
        gc.collect()
        np.testing.assert_array_equal(softrelu.solve(shared).x, expected)

    def test_mapped_files(self):
        values = data(m=100000)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "A2.npy")
            np.save(path, values["A2"])
            expected = softrelu.solve(softrelu.Problem(**values, rho=1e-2, loss="kl")).x

            def resident():  # MiB of the file's mapping
                lines = iter(open("/proc/self/smaps").read().splitlines())
                return max(int(next(line for line in lines if line.startswith("Rss:")).split()[1]) for line in lines if path in line) / 1024
            for mode, copy, let_go in (("r", False, True), ("r+", False, True), ("c", False, False), ("r", True, False)):
                A2 = np.load(path, mmap_mode=mode)
                p = softrelu.Problem(**{**values, "A2": A2}, rho=1e-2, loss="kl", copy=copy)
                self.assertEqual(resident() < 5, let_go)  # of 30 MiB, which have been looked through
                np.testing.assert_allclose(softrelu.solve(p).x, expected, rtol=0, atol=1e-9)
                del p, A2
            for A2 in (np.load(path, mmap_mode="r").T.copy().T, np.load(path, mmap_mode="r") * 1):  # in memory, whatever their type
                np.testing.assert_allclose(softrelu.solve(softrelu.Problem(**{**values, "A2": A2}, rho=1e-2, loss="kl")).x, expected,
                                           rtol=0, atol=1e-9)

    def test_settings(self):
        self.assertEqual(softrelu.settings()["hessian"]["choices"], ["exact", "gauss-newton", "sampled"])
        result = softrelu.solve(problem(), x0=np.ones(12), max_iterations=0)
        self.assertEqual(result.termination, "iteration-limit")
        self.assertFalse(result.converged)
        np.testing.assert_array_equal(result.x, 1)
        self.assertTrue(softrelu.solve(problem(), hessian="sampled", tolerance=1e-10, time_limit=np.float64(60)).converged)
        starts = softrelu.solve(problem(), starts=5)
        losses = [certificate.quantities["loss"] for _, certificate in starts.minimisers]
        self.assertEqual(losses, sorted(losses))

    def test_solver_is_used_again(self):
        random = np.random.default_rng(8)
        solver = softrelu.Solver(problem())
        first = solver.solve()
        b, x0 = random.dirichlet(np.ones(10)), random.normal(size=12)
        other = solver.solve(b=b, x0=x0, lower=-0.5, upper=np.full(12, 0.5))
        np.testing.assert_array_equal(other.x, softrelu.solve(problem(b=b, lower=-0.5, upper=0.5), x0=x0).x)
        self.assertEqual((np.abs(other.certificate.at_bounds) == 1).sum(), other.report["active_bounds"])
        np.testing.assert_array_equal(solver.solve().x, first.x)
        self.assertEqual(first.certificate.verdict, "certified local minimiser")  # independent of the handle

    def test_what_is_refused(self):
        bad = data()["b"]
        bad[3] = np.nan
        for changed, text in (({"b": bad}, "3"), ({"rho": -1}, "rho"), ({"loss": "l1"}, "squares, kl"), ({"b": np.ones(9)}, "(10,)"),
                              ({"A1": np.ones(5)}, "two dimensions"), ({"A2": np.ones((10, 3))}, "40 columns"), ({"lower": 1, "upper": 0}, "0")):
            with self.assertRaises(softrelu.InputError) as raised:
                problem(**changed)
            self.assertIn(text, str(raised.exception))
            self.assertIsInstance(raised.exception, ValueError)
        with self.assertRaisesRegex(softrelu.InputError, "no setting named 'speed'"):
            softrelu.solve(problem(), speed=3)
        with self.assertRaises(softrelu.InputError):
            softrelu.solve(problem(), x0=np.ones(3))
        with self.assertRaises(softrelu.InputError):
            softrelu.certify(problem(lower=0.0), -np.ones(12))


class Callbacks(unittest.TestCase):
    def test_progress_and_stop(self):
        records = []
        result = softrelu.solve(problem(), callback=records.append)
        self.assertEqual([record["iteration"] for record in records], list(result.trace["iteration"]))
        result = softrelu.solve(problem(), callback=lambda record: True)
        self.assertEqual(result.termination, "callback-stop")

    def test_exceptions_come_out(self):
        solver = softrelu.Solver(problem())
        for run in (solver.solve, lambda callback: self.in_thread(lambda: solver.solve(callback=callback))):
            with self.assertRaisesRegex(ZeroDivisionError, "division"):
                run(callback=lambda record: 1 // 0)
        self.assertTrue(solver.solve().converged)

    def in_thread(self, call):
        caught = []

        def work():
            try:
                call()
            except Exception as error:
                caught.append(error)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        raise caught[0]

    def test_keyboard_interrupt(self):
        random = np.random.default_rng(5)
        large = softrelu.Problem(random.normal(size=(1500, 500)), random.dirichlet(np.ones(3000)),
                                 A2=random.normal(size=(3000, 1500)), rho=1e-6)
        solver = softrelu.Solver(large, starts=1000)
        timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            solver.solve()
        timer.join()
        self.assertTrue(softrelu.Solver(problem()).solve().converged)

    def test_the_lock_is_released(self):
        random = np.random.default_rng(5)
        large = softrelu.Problem(random.normal(size=(600, 200)), random.dirichlet(np.ones(2000)), A2=random.normal(size=(2000, 600)), rho=1e-6)
        worked = threading.Event()

        def solve():
            softrelu.solve(large)
            worked.set()
        thread = threading.Thread(target=solve)
        thread.start()
        turns = 0
        while not worked.is_set():
            turns += 1
            time.sleep(0)
        thread.join()
        self.assertGreater(turns, 100)


class Batches(unittest.TestCase):
    def test_same_as_single_solves(self):
        random = np.random.default_rng(2)
        p, B, X0 = problem(), random.dirichlet(np.ones(10), size=7), random.normal(size=(7, 12))
        ended = []
        batch = softrelu.solve_batch(p, B, x0=X0, callback=lambda target, record: ended.append(target))
        self.assertTrue(batch.converged.all())
        self.assertEqual(set(ended), set(range(7)))
        self.assertTrue(batch.certificate(-1).certified)
        solver = softrelu.Solver(p)
        for target in range(7):
            single = solver.solve(b=B[target], x0=X0[target])
            np.testing.assert_allclose(batch.x[target], single.x, atol=1e-12)
            self.assertAlmostEqual(batch.quantity("loss")[target], single.loss, delta=1e-13)

    def test_a_bad_target_is_one_error(self):
        B = np.random.default_rng(2).dirichlet(np.ones(10), size=3)
        B[1, 4] = np.inf
        batch = softrelu.solve_batch(problem(), B)
        self.assertEqual(list(batch.errors), [1])
        self.assertIn("4", batch.errors[1])
        self.assertEqual(list(batch.converged), [True, False, True])
        self.assertTrue(np.isnan(batch.x[1]).all() and np.isfinite(batch.x[[0, 2]]).all())
        for B in (np.ones(10), np.ones((2, 9)), np.ones((0, 10)), None):
            with self.assertRaises(softrelu.InputError):
                softrelu.solve_batch(problem(), B)
        with self.assertRaises(softrelu.InputError):
            softrelu.solve_batch(problem(), np.ones((2, 10)), x0=np.ones((3, 12)))

    def test_exception_in_callback(self):
        def refuse(target, record):
            raise KeyError(target)
        with self.assertRaises(KeyError):
            softrelu.solve_batch(problem(), np.full((5, 10), 0.1), callback=refuse)


class Counterfactuals(unittest.TestCase):
    def test_answers(self):
        p, input = problem(), np.linspace(-1, 1, 12)
        before = p.at(input).prediction
        wanted = int(np.argsort(before)[-2])
        frozen = np.arange(12) % 4 == 0
        found = softrelu.counterfactual(p, input, wanted, 0.6, frozen=frozen, starts=8)
        self.assertEqual(found.outcome, "found")
        self.assertEqual([a.distance for a in found.answers], sorted(a.distance for a in found.answers))
        for answer in found.answers:
            self.assertGreaterEqual(p.at(answer.x).prediction[wanted], 0.6 - 1e-12)
            self.assertAlmostEqual(np.linalg.norm(answer.x - input), answer.distance)
            np.testing.assert_array_equal(answer.x[frozen], input[frozen])
        self.assertTrue(found.answers[0].certified)
        first = found.path[0]
        self.assertEqual((first.branch, first.rho, first.distance, first.reached), (0, 0, 0, False))
        self.assertAlmostEqual(first.confidence, before[wanted])
        nearest = found.answers[0]
        self.assertIn((nearest.rho, nearest.confidence, nearest.distance, True), [(q.rho, q.confidence, q.distance, q.reached) for q in found.path])
        already = softrelu.counterfactual(p, input, int(before.argmax()), 0.9 * before.max())
        self.assertEqual((already.outcome, already.answers[0].distance), ("already", 0))

    def test_ends_and_errors(self):
        p, input = problem(), np.zeros(12)
        wanted = int(p.at(input).prediction.argmin())
        none = softrelu.counterfactual(p, input, wanted, 0.99, frozen=np.ones(12, bool))
        self.assertEqual((none.outcome, none.answers), ("not-found", []))
        self.assertAlmostEqual(none.best.confidence, p.at(input).prediction[wanted])
        self.assertEqual(softrelu.counterfactual(p, input, wanted, 0.99, callback=lambda record: True).outcome, "stopped")
        with self.assertRaisesRegex(softrelu.InputError, "class 10"):
            softrelu.counterfactual(p, input, 10)
        with self.assertRaisesRegex(softrelu.InputError, "frozen"):
            softrelu.counterfactual(p, input, 1, frozen=[True])
        with self.assertRaisesRegex(ZeroDivisionError, "division"):
            softrelu.counterfactual(p, input, wanted, 0.99, callback=lambda record: 1 // 0)
        with self.assertRaises(softrelu.InputError):
            softrelu.counterfactual(problem(w=1.0), input, 1)


class Points(unittest.TestCase):
    def test_values_and_derivatives(self):
        values, p = data(), problem(w=0.1)
        x = np.linspace(-1, 1, 12)
        point = p.at(x)
        u = values["A1"] @ x + values["c1"]
        np.testing.assert_allclose(point.preactivations, u, atol=1e-13)
        z = values["A2"] @ np.maximum(u, 0) + values["c2"]
        np.testing.assert_allclose(point.prediction, np.exp(z) / np.exp(z).sum(), atol=1e-14)
        step = 1e-6 * np.eye(12)
        gradient = [(p.at(x + e).loss - p.at(x - e).loss) / 2e-6 for e in step]
        np.testing.assert_allclose(point.gradient, gradient, atol=1e-7)
        np.testing.assert_allclose(point.hessian @ values["x_ref"], point.hessian_product(values["x_ref"]), atol=1e-12)
        self.assertEqual(point.check_derivatives()["verdict"], "agree")
        self.assertAlmostEqual(sum(v for k, v in point.losses.items() if k != "total"), point.loss, delta=1e-13)

    def test_certificates(self):
        p = problem()
        x = softrelu.solve(p).x
        self.assertTrue(softrelu.certify(p, x).certified)
        away = softrelu.certify(p, x + 0.1)
        self.assertEqual((away.verdict, bool(away)), ("not stationary", False))
        self.assertAlmostEqual(np.linalg.norm(away.direction), 1.0)
        self.assertLess(p.at(x + 0.1 + 1e-4 * away.direction).loss, p.at(x + 0.1).loss)

    def test_constants(self):
        p = problem()
        self.assertNotIn("hessian_least", p.constants())
        known = p.constants(np.zeros(12))
        self.assertLessEqual(known["hessian_least_all"], known["hessian_least"] + 1e-12)
        self.assertLessEqual(known["hessian_least"], np.linalg.eigvalsh(p.at(np.zeros(12)).hessian)[0] + 1e-12)


if __name__ == "__main__":
    unittest.main()
