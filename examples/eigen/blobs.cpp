// SPDX-License-Identifier: BSD-3-Clause
//
// A classifier of points in the plane, trained with Eigen, and where it cannot decide.
//
//     blobs
//
// Three clouds of points, a network of 24 ReLU units, gradient descent: all of it in Eigen's matrices, which softrelu.hpp takes
// as they are, float weights in column-major order included. For each cloud the point nearest to its centre is found where the
// network gives each of two classes a half, and drawn into a map of what the network says.
#include <softrelu/softrelu.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <exception>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr int classes = 3, hidden = 24, points = 300;
constexpr double half_width = 4.0;

struct network {
    Eigen::MatrixXf A1, A2; // what is trained in float stays float
    Eigen::VectorXf c1, c2;
};

struct cloud {
    Eigen::MatrixXf x = Eigen::MatrixXf(2, points); // a column for each point
    Eigen::MatrixXf y = Eigen::MatrixXf::Zero(classes, points);
    Eigen::MatrixXf centres = Eigen::MatrixXf(2, classes);
};

Eigen::MatrixXf gaussian(std::mt19937 &engine, int rows, int columns, float scale) {
    std::normal_distribution<float> normal;
    return Eigen::MatrixXf::NullaryExpr(rows, columns, [&] { return scale * normal(engine); });
}

cloud draw_points(std::mt19937 &engine) {
    cloud data;
    data.centres << -2.0F, 2.0F, 0.0F, -1.0F, -1.5F, 2.0F;
    data.x = gaussian(engine, 2, points, 0.7F);
    for (int i = 0; i < points; i++) {
        data.x.col(i) += data.centres.col(i % classes);
        data.y(i % classes, i) = 1.0F;
    }
    return data;
}

Eigen::MatrixXf softmax(const Eigen::MatrixXf &z) {
    const Eigen::MatrixXf e = (z.rowwise() - z.colwise().maxCoeff()).array().exp();
    return e.array().rowwise() / e.colwise().sum().array();
}

network train(const cloud &data, std::mt19937 &engine) {
    network net{gaussian(engine, hidden, 2, 1.0F), gaussian(engine, classes, hidden, 0.3F), gaussian(engine, hidden, 1, 0.5F),
                Eigen::VectorXf::Zero(classes)};
    for (int step = 0; step < 2000; step++) {
        const Eigen::MatrixXf u = (net.A1 * data.x).colwise() + net.c1;
        const Eigen::MatrixXf h = u.cwiseMax(0.0F);
        const Eigen::MatrixXf z = (net.A2 * h).colwise() + net.c2;
        const Eigen::MatrixXf dz = (softmax(z) - data.y) / static_cast<float>(points);
        const Eigen::MatrixXf du = ((net.A2.transpose() * dz).array() * (u.array() > 0.0F).cast<float>()).matrix();
        constexpr float rate = 0.3F;
        net.A2 -= rate * dz * h.transpose();
        net.c2 -= rate * dz.rowwise().sum();
        net.A1 -= rate * du * data.x.transpose();
        net.c1 -= rate * du.rowwise().sum();
    }
    return net;
}

// One letter for each class, small where the network gives it less than 0.9; found points are marked by *.
void print_map(softrelu::evaluator &evaluator, const std::vector<Eigen::Vector2d> &marks) {
    constexpr int rows = 17, columns = 49;
    std::vector<std::string> map(rows, std::string(columns, ' '));
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            const Eigen::Vector2d x(half_width * (2.0 * column / (columns - 1) - 1.0),
                                    half_width * (1.0 - 2.0 * row / (rows - 1)));
            const std::vector<double> f = evaluator.move(x).prediction();
            const auto best = std::max_element(f.begin(), f.end());
            map[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] =
                static_cast<char>((*best > 0.9 ? 'A' : 'a') + (best - f.begin()));
        }
    }
    for (const Eigen::Vector2d &mark : marks) {
        const auto row = std::lround((1.0 - mark.y() / half_width) * (rows - 1) / 2.0),
                   column = std::lround((mark.x() / half_width + 1.0) * (columns - 1) / 2.0);
        if (row >= 0 && row < rows && column >= 0 && column < columns)
            map[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] = '*';
    }
    for (const std::string &line : map)
        std::cout << "  " << line << '\n';
}

int run() {
    std::mt19937 engine(7);
    const cloud data = draw_points(engine);
    const network net = train(data, engine);
    const Eigen::VectorXd c1 = net.c1.cast<double>(), c2 = net.c2.cast<double>();

    softrelu::problem problem(hidden, 2, classes);
    problem
        .set_matrix(SOFTRELU_A1, net.A1, SOFTRELU_BORROW) // no copy: net outlives the problem
        .set_matrix(SOFTRELU_A2, net.A2, SOFTRELU_BORROW)
        .set_vector(SOFTRELU_C1, c1)
        .set_vector(SOFTRELU_C2, c2)
        .set_vector(SOFTRELU_B, Eigen::Vector3d::Constant(1.0 / classes).eval())
        .set_number(SOFTRELU_RHO, 1e-4)
        .set_number(SOFTRELU_LOWER, -half_width)
        .set_number(SOFTRELU_UPPER, half_width)
        .set_loss(SOFTRELU_KL)
        .finish();
    softrelu::evaluator evaluator(problem);
    softrelu::solver solver(problem);
    int iterations = 0;
    solver.set_callback([&](const softrelu::report &) { // may capture, may throw
        iterations++;
        return false;
    });

    std::vector<Eigen::Vector2d> found;
    int failed = 0;
    for (int from = 0; from < classes; from++) {
        const int to = (from + 1) % classes;
        const Eigen::Vector2d centre = data.centres.col(from).cast<double>();
        Eigen::Vector3d target = Eigen::Vector3d::Zero();
        target(from) = target(to) = 0.5;
        solver.set_vector(SOFTRELU_B, target).set_vector(SOFTRELU_X_REF, centre).solve();
        const std::vector<double> x = solver.solution();
        found.emplace_back(x[0], x[1]);
        const std::vector<double> f = evaluator.move(x).prediction();
        std::cout << "between " << char('A' + from) << " and " << char('A' + to) << ", near (" << centre.transpose() << "): ("
                  << found.back().transpose() << "), read as " << f[static_cast<std::size_t>(from)] << " and "
                  << f[static_cast<std::size_t>(to)] << "; " << solver.report().termination_name() << ", "
                  << solver.certificate().verdict_name() << '\n';
        failed += !solver.report().converged() || std::abs(f[static_cast<std::size_t>(from)] - 0.5) > 0.05;
    }
    std::cout << iterations << " iterations in all\n\n";
    print_map(evaluator, found);
    return failed == 0 ? 0 : 1;
}

} // namespace

int main() {
    try {
        return run();
    } catch (const std::exception &problem) { // softrelu::error names the argument, the index and the value
        std::cerr << "blobs: " << problem.what() << '\n';
        return 2;
    }
}
