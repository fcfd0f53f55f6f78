// softrelu.hpp as its users see it: every class, every way to give an array, errors, exceptions from callbacks, lifetimes.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
#include <softrelu/softrelu.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <thread>
#include <type_traits>
#if __cplusplus >= 202002L
#include <span>
#endif

namespace {

constexpr std::int64_t n = 6, d = 3, m = 4;

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct Data {
    RowMajor A1{n, d};
    Eigen::MatrixXd A2{m, n};
    Eigen::VectorXd c1{n}, b{m};
    Data() {
        for (std::int64_t i = 0; i < n; i++)
            for (std::int64_t k = 0; k < d; k++)
                A1(i, k) = std::sin(1.0 + 7.0 * static_cast<double>(i) + 3.0 * static_cast<double>(k));
        for (std::int64_t j = 0; j < m; j++)
            for (std::int64_t i = 0; i < n; i++)
                A2(j, i) = std::cos(2.0 + 5.0 * static_cast<double>(j) + 11.0 * static_cast<double>(i));
        c1.setConstant(0.1);
        b << 0.1, 0.2, 0.3, 0.4;
    }
};

softrelu::problem make(const Data &data, softrelu::problem problem = softrelu::problem(n, d, m)) {
    problem.set_matrix(SOFTRELU_A1, data.A1).set_matrix(SOFTRELU_A2, data.A2).set_vector(SOFTRELU_C1, data.c1);
    problem.set_vector(SOFTRELU_B, data.b).set_number(SOFTRELU_RHO, 1e-3).set_loss(SOFTRELU_KL).finish();
    return problem;
}

template <class Call> softrelu_status status_of(Call &&call) {
    try {
        call();
    } catch (const softrelu::error &refused) {
        CHECK(std::string(refused.what()) != "");
        return refused.status();
    }
    return SOFTRELU_OK;
}

template <class Handle>
constexpr bool move_only =
    !std::is_copy_constructible_v<Handle> && !std::is_copy_assignable_v<Handle> && std::is_nothrow_move_constructible_v<Handle>;
static_assert(move_only<softrelu::problem> && move_only<softrelu::solver> && move_only<softrelu::evaluator>);
static_assert(move_only<softrelu::examiner> && move_only<softrelu::batch> && move_only<softrelu::constants>);
static_assert(move_only<softrelu::counterfactual>);

} // namespace

TEST_CASE("a solve, its report and its certificate") {
    const softrelu::problem problem = make(Data());
    softrelu::solver solver(problem);
    const softrelu::report report = solver.solve();
    CHECK(report.converged());
    CHECK(report.loss() == report.number(SOFTRELU_REPORT_LOSS));
    CHECK(report.trace_length() > 0);
    CHECK(report.trace_number(report.trace_length() - 1, SOFTRELU_TRACE_LOSS) == report.loss());
    CHECK(solver.certificate().certified());
    CHECK(solver.minimiser_count() == 1);
    CHECK(solver.minimiser(0) == solver.solution());
    CHECK(solver.minimiser_certificate(0).certified());
    CHECK(status_of([&] { solver.minimiser(1); }) == SOFTRELU_ERROR_SIZE);
    CHECK(status_of([&] { solver.minimiser_certificate(1); }) == SOFTRELU_ERROR_SIZE);

    softrelu::examiner examiner(problem);
    CHECK(examiner.certify(solver.solution()).certified());
    CHECK(examiner.multipliers().kinks.size() == n);
    CHECK(examiner.active().bounds == std::vector<signed char>(d, 0));
    CHECK(status_of([&] { examiner.direction(); }) == SOFTRELU_ERROR_STATE);
    CHECK(examiner.certify(std::vector<double>(d, 1.0)).verdict() == SOFTRELU_VERDICT_NOT_STATIONARY);
    CHECK(Eigen::Map<const Eigen::VectorXd>(examiner.direction().data(), d).norm() == doctest::Approx(1.0));
}

TEST_CASE("the same numbers in any container make the same solution") {
    const Data data;
    softrelu::problem reference = make(data);
    softrelu::solver solver(reference);
    solver.solve();
    const std::vector<double> x = solver.solution();
    auto solution = [](softrelu::problem &problem) {
        softrelu::solver other(problem.finish());
        other.solve();
        return other.solution();
    };

    softrelu::problem pointers(n, d, m);
    const std::array<double, 4> b = {0.1, 0.2, 0.3, 0.4};
    pointers.set_matrix(SOFTRELU_A1, softrelu::row_major(data.A1.data(), n, d));
    pointers.set_matrix(SOFTRELU_A2, softrelu::column_major(data.A2.data(), m, n), SOFTRELU_BORROW);
    pointers.set_vector(SOFTRELU_C1, {data.c1.data(), n})
        .set_vector(SOFTRELU_B, b)
        .set_number(SOFTRELU_RHO, 1e-3)
        .set_loss(SOFTRELU_KL);
    CHECK(solution(pointers) == x);

    // blocks of larger matrices: the leading dimension is theirs
    RowMajor large = RowMajor::Constant(n + 2, d + 5, std::numeric_limits<double>::quiet_NaN());
    large.block(1, 2, n, d) = data.A1;
    softrelu::problem blocks(n, d, m);
    blocks.set_matrix(SOFTRELU_A1, large.block(1, 2, n, d))
        .set_matrix(SOFTRELU_A2, Eigen::Map<const Eigen::MatrixXd>(data.A2.data(), m, n));
    blocks.set_vector(SOFTRELU_C1, Eigen::Map<const Eigen::VectorXd>(data.c1.data(), n)).set_vector(SOFTRELU_B, data.b);
    blocks.set_number(SOFTRELU_RHO, 1e-3).set_loss(SOFTRELU_KL);
    CHECK(solution(blocks) == x);

#if __cplusplus >= 202002L
    softrelu::problem spans(n, d, m);
    spans.set_matrix(SOFTRELU_A1, data.A1)
        .set_matrix(SOFTRELU_A2, data.A2)
        .set_vector(SOFTRELU_C1, std::span(data.c1.data(), n));
    spans.set_vector(SOFTRELU_B, std::span<const double>(b)).set_number(SOFTRELU_RHO, 1e-3).set_loss(SOFTRELU_KL);
    CHECK(solution(spans) == x);
#endif

    const Eigen::MatrixXf A1_single = data.A1.cast<float>(), A2_single = data.A2.cast<float>();
    softrelu::problem single(n, d, m), widened(n, d, m);
    single.set_matrix(SOFTRELU_A1, A1_single)
        .set_matrix(SOFTRELU_A2, A2_single)
        .set_vector(SOFTRELU_B, b)
        .set_number(SOFTRELU_RHO, 1e-3);
    widened.set_matrix(SOFTRELU_A1, Eigen::MatrixXd(A1_single.cast<double>()))
        .set_matrix(SOFTRELU_A2, Eigen::MatrixXd(A2_single.cast<double>()));
    widened.set_vector(SOFTRELU_B, b).set_number(SOFTRELU_RHO, 1e-3);
    const std::vector<double> x_single = solution(single), x_widened = solution(widened);
    for (std::size_t k = 0; k < static_cast<std::size_t>(d); k++)
        CHECK(x_single[k] == doctest::Approx(x_widened[k]).epsilon(1e-7));
}

TEST_CASE("what is refused says why") {
    const Data data;
    softrelu::problem problem(n, d, m);
    CHECK(status_of([] { softrelu::problem(0, 1, 1); }) == SOFTRELU_ERROR_SIZE);
    CHECK(status_of([&] { problem.set_matrix(SOFTRELU_A1, data.A2); }) == SOFTRELU_ERROR_SIZE);
    CHECK(status_of([&] { problem.finish(); }) == SOFTRELU_ERROR_MISSING);
    CHECK(status_of([&] { softrelu::solver solver(problem); }) == SOFTRELU_ERROR_STATE);
    CHECK(status_of([&] { problem.set_vector(SOFTRELU_B, std::vector<double>(3)); }) == SOFTRELU_ERROR_SIZE);
    const Eigen::MatrixXd wide(m, 2 * n);
    CHECK(status_of([&] {
              problem.set_matrix(SOFTRELU_A2,
                                 Eigen::Map<const Eigen::MatrixXd, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>(
                                     wide.data(), m, n, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(m, 2)));
          }) == SOFTRELU_ERROR_SIZE);
    CHECK(status_of([&] {
              problem.set_vector(SOFTRELU_B, Eigen::Map<const Eigen::VectorXd, 0, Eigen::InnerStride<2>>(wide.data(), m));
          }) == SOFTRELU_ERROR_SIZE);
    std::vector<double> b = {0.1, std::numeric_limits<double>::quiet_NaN(), 0.3, 0.4};
    try {
        problem.set_vector(SOFTRELU_B, b);
        FAIL("NaN was taken");
    } catch (const softrelu::error &refused) {
        CHECK(refused.status() == SOFTRELU_ERROR_NOT_FINITE);
        CHECK(std::string(refused.what()).find("1") != std::string::npos);
    }
    const softrelu::problem good = make(data);
    softrelu::solver solver(good);
    CHECK(status_of([&] { solver.solution(); }) == SOFTRELU_ERROR_STATE);
    CHECK(status_of([&] { solver.set("no-such-setting", "1"); }) == SOFTRELU_ERROR_UNKNOWN);
    CHECK(status_of([&] { solver.set(SOFTRELU_SETTING_TOLERANCE, -1.0); }) == SOFTRELU_ERROR_VALUE);
}

TEST_CASE("settings take the number that is meant") {
    const softrelu::problem problem = make(Data());
    softrelu::solver solver(problem);
    solver.set(SOFTRELU_SETTING_TIME_LIMIT, 5).set(SOFTRELU_SETTING_MAX_ITERATIONS, 7).set("tolerance", "1e-11");
    solver.set(SOFTRELU_SETTING_HESSIAN, SOFTRELU_HESSIAN_GAUSS_NEWTON);
    CHECK(solver.get_real(SOFTRELU_SETTING_TIME_LIMIT) == 5.0);
    CHECK(solver.get_integer(SOFTRELU_SETTING_MAX_ITERATIONS) == 7);
    CHECK(solver.get_real(SOFTRELU_SETTING_TOLERANCE) == 1e-11);
    CHECK(solver.get_integer(SOFTRELU_SETTING_HESSIAN) == SOFTRELU_HESSIAN_GAUSS_NEWTON);
}

TEST_CASE("an end without convergence is no exception") {
    const softrelu::problem problem = make(Data());
    softrelu::solver solver(problem);
    solver.set(SOFTRELU_SETTING_MAX_ITERATIONS, 0).set_start(std::vector<double>(d, 1.0));
    const softrelu::report report = solver.solve();
    CHECK(report.termination() == SOFTRELU_ITERATION_LIMIT);
    CHECK(std::isfinite(report.loss()));
    CHECK(solver.solution().size() == d);
    CHECK(solver.certificate().verdict() != SOFTRELU_VERDICT_CERTIFIED);
}

TEST_CASE("callbacks may stop and throw, and what was found is there") {
    const softrelu::problem problem = make(Data());
    softrelu::solver solver(problem);
    int calls = 0;
    solver.set_callback([&](const softrelu::report &) { return ++calls == 1; });
    CHECK(solver.solve().termination() == SOFTRELU_CALLBACK_STOP);
    CHECK(calls == 1);

    struct thrown {
        int value;
    };
    solver.set_callback([&](const softrelu::report &report) -> bool {
        CHECK(report.termination() == SOFTRELU_NOT_RUN);
        throw thrown{42};
    });
    softrelu::solver moved = std::move(solver); // the callback goes with it
    int value = 0;
    try {
        moved.solve();
    } catch (const thrown &caught) {
        value = caught.value;
    }
    CHECK(value == 42);
    CHECK(moved.report().termination() == SOFTRELU_CALLBACK_STOP);
    CHECK(moved.solution().size() == d);

    moved.set_callback([&](const softrelu::report &) { // from inside: refused, and thrown through
        moved.set_start(std::vector<double>(d, 0.0));
        return false;
    });
    CHECK(status_of([&] { moved.solve(); }) == SOFTRELU_ERROR_STATE);
    moved.set_callback(nullptr);
    CHECK(moved.solve().converged());
}

TEST_CASE("what was made from a problem keeps it alive") {
    const Data data;
    auto make_solver = [&] {
        softrelu::problem problem = make(data);
        return softrelu::solver(problem);
    };
    softrelu::solver solver = make_solver();
    CHECK(solver.solve().converged());
    auto make_batch = [&] { return softrelu::batch(make_solver(), 2, 1); };
    softrelu::batch batch = make_batch();
    std::vector<double> x(2 * d);
    batch.solve(2, x.data(), d);
    CHECK(batch.report(1).converged());
    CHECK(std::vector<double>(x.begin(), x.begin() + d) == solver.solution());
}

TEST_CASE("a batch: results, failures, exceptions") {
    const Data data;
    const softrelu::problem problem = make(data);
    const softrelu::solver solver(problem);
    softrelu::batch batch(solver, 3, 1);
    Eigen::MatrixXd B(m, 3); // a column for each target
    B << data.b, data.b, data.b;
    B(2, 1) = std::numeric_limits<double>::quiet_NaN();
    Eigen::MatrixXd X = Eigen::MatrixXd::Zero(d, 3);
    int ended = 0;
    batch.set_columns(SOFTRELU_B, B.data(), m).set_callback([&](std::int64_t, const softrelu::report &report) {
        ended += report.termination() != SOFTRELU_NOT_RUN;
        return false;
    });
    batch.solve(3, X.data(), d);
    CHECK(ended == 2);
    CHECK(batch.threads() == 1);
    CHECK(batch.status(1) == SOFTRELU_ERROR_NOT_FINITE);
    CHECK(std::string(batch.message(1)) != "");
    CHECK(batch.report(0).converged());
    CHECK(batch.certificate(2).certified());
    CHECK(X.col(0) == X.col(2));
    CHECK(status_of([&] { batch.report(3); }) == SOFTRELU_ERROR_SIZE);
    CHECK(status_of([&] { batch.solve(4, X.data(), d); }) == SOFTRELU_ERROR_SIZE);

    batch.set_callback([](std::int64_t, const softrelu::report &) -> bool { throw std::runtime_error("enough"); });
    CHECK_THROWS_WITH(batch.solve(3, X.data(), d), "enough");
    CHECK(batch.report(2).termination() == SOFTRELU_NOT_RUN);
}

TEST_CASE("values and derivatives") {
    const softrelu::problem problem = make(Data());
    softrelu::evaluator evaluator(problem);
    CHECK(status_of([&] { evaluator.gradient(); }) == SOFTRELU_ERROR_STATE);
    const Eigen::Vector3d x(0.3, -0.2, 0.1), p(1.0, 2.0, -1.0);
    evaluator.move(x);
    CHECK(evaluator.preactivations().size() == n);
    const std::vector<double> f = evaluator.prediction();
    CHECK(Eigen::Map<const Eigen::VectorXd>(f.data(), m).sum() == doctest::Approx(1.0));
    const auto loss = evaluator.loss();
    CHECK(loss.total == doctest::Approx(loss.fit + loss.weights + loss.proximity));
    const std::vector<double> H = evaluator.hessian();
    Eigen::Vector3d product;
    evaluator.hessian_product(p, product);
    const Eigen::Vector3d expected = Eigen::Map<const Eigen::Matrix3d>(H.data()) * p;
    for (int k = 0; k < 3; k++)
        CHECK(product(k) == doctest::Approx(expected(k)).epsilon(1e-12));
    Eigen::Matrix3d sampled;
    CHECK(evaluator.sampled_hessian(0.5, m, 1, 0, sampled.data(), 3) <= m);
    CHECK(evaluator.stationarity().residual > 0.0);
    CHECK(evaluator.check_derivatives(1).verdict == SOFTRELU_DERIVATIVES_AGREE);
    CHECK(evaluator.check_derivatives(1, p).verdict == SOFTRELU_DERIVATIVES_AGREE);
    CHECK(status_of([&] { evaluator.check_derivatives(1, std::vector<double>(2)); }) == SOFTRELU_ERROR_SIZE);
}

TEST_CASE("counterfactuals") {
    const softrelu::problem problem = make(Data());
    softrelu::counterfactual search(problem);
    const std::vector<double> input(d, 0.1);
    softrelu::evaluator evaluator(problem);
    const std::vector<double> f = evaluator.move(input).prediction();
    const std::int64_t likely = std::max_element(f.begin(), f.end()) - f.begin();
    CHECK(search.search(input, likely, 0.9 * f[static_cast<std::size_t>(likely)]) == SOFTRELU_SEARCH_ALREADY);
    CHECK(search.point(0) == input);
    const std::vector<signed char> frozen = {1, 0, 0};
    search.set(SOFTRELU_SETTING_TIME_LIMIT, 60);
    const std::int64_t wanted = (likely + 1) % m;
    const double asked = 1.2 * f[static_cast<std::size_t>(wanted)];
    CHECK(search.search(input, wanted, asked, frozen, 3) == SOFTRELU_SEARCH_FOUND);
    CHECK(search.count() >= 1);
    CHECK(search.point(0)[0] == input[0]);
    CHECK(search.number(0, SOFTRELU_ANSWER_CONFIDENCE) >= asked * (1.0 - 1e-12));
    CHECK(search.path_length() > 1);
    CHECK(search.path_number(0, SOFTRELU_PATH_DISTANCE) == 0);
    CHECK(status_of([&] { (void)search.path_number(search.path_length(), SOFTRELU_PATH_RHO); }) == SOFTRELU_ERROR_SIZE);
    CHECK(status_of([&] { search.point(99); }) == SOFTRELU_ERROR_SIZE);
    CHECK(status_of([&] { search.search(input, m, 0.5); }) == SOFTRELU_ERROR_SIZE);
    CHECK(status_of([&] { search.search(input, 0, 0.5, std::vector<signed char>(2)); }) == SOFTRELU_ERROR_SIZE);
    softrelu::counterfactual moved = std::move(search);
    moved.set_callback([](const softrelu::report &) -> bool { throw std::runtime_error("enough"); });
    CHECK_THROWS_WITH(moved.search(input, wanted, asked), "enough");
    softrelu::solver solver(problem);
    CHECK(solver.set_number(SOFTRELU_RHO, 2.0).solve().converged());
}

TEST_CASE("outputs divided among ranks, of which there is one") {
    const Data data;
    const auto combine = [](void *, double *, std::int64_t) { return 0; };
    const auto tell = [](void *, void *, std::int64_t, int) { return 0; };
    const softrelu_communicator alone{sizeof(softrelu_communicator), 0, 1, nullptr, combine, combine, tell};
    softrelu::solver whole(make(data)), divided(make(data, softrelu::problem(n, d, m, alone)));
    whole.solve();
    divided.solve();
    CHECK(whole.solution() == divided.solution());
    CHECK(status_of([&] { softrelu::problem(n, d, m, softrelu_communicator{}); }) == SOFTRELU_ERROR_VALUE);
}

TEST_CASE("constants") {
    const softrelu::problem problem = make(Data());
    softrelu::constants constants(problem);
    CHECK(constants.number(SOFTRELU_CONSTANT_REGULARISER_LEAST) == doctest::Approx(1e-3));
    CHECK(status_of([&] { (void)constants.number(SOFTRELU_CONSTANT_HESSIAN_LEAST); }) == SOFTRELU_ERROR_STATE);
    CHECK(std::isfinite(constants.move(std::vector<double>(d, 0.5)).number(SOFTRELU_CONSTANT_HESSIAN_LEAST)));
    CHECK(constants.weight(1.0) > 0.0);
}

TEST_CASE("a stop from another thread") {
    const softrelu::problem problem = make(Data());
    softrelu::solver solver(problem);
    solver.set_callback([&](const softrelu::report &) {
        std::thread([&] { solver.request_stop(); }).join();
        return false;
    });
    CHECK(solver.solve().termination() == SOFTRELU_STOP_REQUESTED);
}

TEST_CASE("the library that runs") {
    CHECK(softrelu::version() == softrelu_version());
    CHECK(softrelu::blas_description() != "");
}
