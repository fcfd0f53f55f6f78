/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file softrelu.hpp
 * @brief The C interface of softrelu.h for C++17 and later: nothing to link but the C library.
 *
 * Handles are classes that are moved and never copied, and that destroy themselves in any order: what was made from a problem
 * keeps it alive. A call that the library refuses throws softrelu::error with its status and message; how a solve ended is no
 * error, so that its point, report and certificate can be read whatever the end, also after an exception. Callbacks may throw:
 * the solve stops, keeps its best point, and throws the same exception out of solve().
 *
 * Vectors are anything contiguous with data() and size() (std::vector, std::array, std::span, Eigen vectors and maps) or a
 * pointer and a size; matrices are anything dense with data(), rows(), cols(), outerStride(), innerStride() and IsRowMajor
 * (Eigen matrices, blocks and maps, in float or double) or a softrelu::matrix_view. Nothing is copied on the way to the C
 * function. What each function does, its shapes, errors and thread rules are in softrelu.h, under the same names.
 */
#ifndef SOFTRELU_SOFTRELU_HPP
#define SOFTRELU_SOFTRELU_HPP

#include <softrelu/softrelu.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace softrelu {

/** A call that the library refused: what() names the argument, the index and the value. */
class error : public std::runtime_error {
  public:
    error(softrelu_status status, const char *message)
        : std::runtime_error(message != nullptr && *message != '\0' ? message : softrelu_status_text(status)), status_(status) {
    }
    softrelu_status status() const noexcept { return status_; }

  private:
    softrelu_status status_;
};

namespace detail {

inline void check(softrelu_status status, const char *message = nullptr) {
    if (status != SOFTRELU_OK)
        throw error(status, message);
}

template <class Container, class T>
using if_contiguous = std::enable_if_t<std::is_convertible_v<decltype(std::declval<Container &>().data()), T *> &&
                                       std::is_convertible_v<decltype(std::declval<Container &>().size()), std::int64_t>>;

template <class Matrix>
using scalar_of = std::remove_cv_t<std::remove_pointer_t<decltype(std::declval<const Matrix &>().data())>>;

template <class Matrix>
using if_dense = decltype(std::declval<const Matrix &>().rows(), std::declval<const Matrix &>().cols(),
                          std::declval<const Matrix &>().outerStride(), std::declval<const Matrix &>().innerStride(),
                          static_cast<bool>(Matrix::IsRowMajor), std::declval<const Matrix &>().data());

} // namespace detail

/** Numbers that lie one after the other and belong to somebody else. From nothing, or nullptr: absent. */
template <class T> class span {
  public:
    constexpr span() noexcept = default;
    constexpr span(std::nullptr_t) noexcept {}
    constexpr span(T *values, std::int64_t size) noexcept : data_(values), size_(size) {}
    template <std::size_t Size> constexpr span(T (&values)[Size]) noexcept : data_(values), size_(Size) {}
    template <class Container, class = detail::if_contiguous<Container, T>>
    constexpr span(Container &&values) : data_(values.data()), size_(static_cast<std::int64_t>(values.size())) {
        // a strided Eigen map has data() and size(), too
        if constexpr (has_stride<std::remove_reference_t<Container>>(0))
            if (values.size() > 1 && values.innerStride() != 1)
                throw error(SOFTRELU_ERROR_SIZE, "the entries of a vector must lie one after the other");
    }
    constexpr T *data() const noexcept { return data_; }
    constexpr std::int64_t size() const noexcept { return size_; }

  private:
    template <class Container>
    static constexpr auto has_stride(int) -> decltype(std::declval<Container &>().innerStride(), true) {
        return true;
    }
    template <class Container> static constexpr bool has_stride(long) { return false; }
    T *data_ = nullptr;
    std::int64_t size_ = 0;
};

/** A matrix that belongs to somebody else, in double or float. */
template <class T> struct matrix_view {
    const T *values;
    std::int64_t rows, columns;
    softrelu_layout layout;
    std::int64_t leading_dimension;
};

/** A contiguous matrix, one row after the other. */
template <class T> matrix_view<T> row_major(const T *values, std::int64_t rows, std::int64_t columns) {
    return {values, rows, columns, SOFTRELU_ROW_MAJOR, columns};
}
/** A contiguous matrix, one column after the other. */
template <class T> matrix_view<T> column_major(const T *values, std::int64_t rows, std::int64_t columns) {
    return {values, rows, columns, SOFTRELU_COLUMN_MAJOR, rows};
}
/** The entries of an Eigen matrix, block or map. Not of a temporary: they must outlive the call, or the problem if borrowed. */
template <class Matrix, class = detail::if_dense<Matrix>> matrix_view<detail::scalar_of<Matrix>> view(const Matrix &matrix) {
    if (matrix.innerStride() != 1)
        throw error(SOFTRELU_ERROR_SIZE, "the rows or the columns of a matrix must be contiguous");
    return {matrix.data(), static_cast<std::int64_t>(matrix.rows()), static_cast<std::int64_t>(matrix.cols()),
            Matrix::IsRowMajor ? SOFTRELU_ROW_MAJOR : SOFTRELU_COLUMN_MAJOR, static_cast<std::int64_t>(matrix.outerStride())};
}

/** Sizes of a problem: n hidden units, d unknowns, m outputs. */
struct dimensions {
    std::int64_t n, d, m;
};

/** The data: described by setters, then sealed by finish(). A sealed problem may be shared by threads. */
class problem {
  public:
    problem(std::int64_t n, std::int64_t d, std::int64_t m, softrelu_allocate allocate = nullptr,
            softrelu_release release = nullptr, void *context = nullptr)
        : dimensions_{n, d, m} {
        softrelu_problem *created = nullptr;
        detail::check(softrelu_problem_create(n, d, m, allocate, release, context, &created));
        handle_.reset(created, softrelu_problem_destroy);
    }
    /** With the outputs divided among ranks, m of them here: softrelu_problem_create_distributed(). */
    problem(std::int64_t n, std::int64_t d, std::int64_t m, const softrelu_communicator &communicator,
            softrelu_allocate allocate = nullptr, softrelu_release release = nullptr, void *context = nullptr)
        : dimensions_{n, d, m} {
        softrelu_problem *created = nullptr;
        detail::check(softrelu_problem_create_distributed(n, d, m, &communicator, allocate, release, context, &created));
        handle_.reset(created, softrelu_problem_destroy);
    }
    problem(problem &&) noexcept = default;
    problem &operator=(problem &&) noexcept = default;
    problem(const problem &) = delete;
    problem &operator=(const problem &) = delete;

    problem &set_matrix(softrelu_array array, const matrix_view<double> &matrix, softrelu_ownership ownership = SOFTRELU_COPY) {
        check_shape(array, matrix.rows, matrix.columns);
        return check(
            softrelu_problem_set_matrix(get(), array, matrix.values, matrix.layout, matrix.leading_dimension, ownership));
    }
    problem &set_matrix(softrelu_array array, const matrix_view<float> &matrix, softrelu_ownership ownership = SOFTRELU_COPY) {
        check_shape(array, matrix.rows, matrix.columns);
        return check(softrelu_problem_set_matrix_single(get(), array, matrix.values, matrix.layout, matrix.leading_dimension,
                                                        ownership));
    }
    template <class Matrix, class = detail::if_dense<Matrix>>
    problem &set_matrix(softrelu_array array, const Matrix &matrix, softrelu_ownership ownership = SOFTRELU_COPY) {
        return set_matrix(array, view(matrix), ownership);
    }
    problem &set_vector(softrelu_array array, span<const double> values, softrelu_ownership ownership = SOFTRELU_COPY) {
        return check(softrelu_problem_set_vector(get(), array, values.data(), values.size(), ownership));
    }
    problem &set_number(softrelu_array array, double value) { return check(softrelu_problem_set_number(get(), array, value)); }
    problem &set_loss(softrelu_loss loss) { return check(softrelu_problem_set_loss(get(), loss)); }
    problem &finish() { return check(softrelu_problem_finish(get())); }

    dimensions size() const noexcept { return dimensions_; }
    softrelu_problem *get() const noexcept { return handle_.get(); }
    /** The handle, kept alive by whoever holds it. */
    std::shared_ptr<softrelu_problem> share() const noexcept { return handle_; }

  private:
    problem &check(softrelu_status status) {
        detail::check(status, softrelu_problem_message(get()));
        return *this;
    }
    // the C interface takes the shape for granted; a C++ matrix knows its own
    void check_shape(softrelu_array array, std::int64_t rows, std::int64_t columns) const {
        const bool hidden = array == SOFTRELU_A1;
        const std::int64_t want_rows = hidden ? dimensions_.n : dimensions_.m,
                           want_columns = hidden ? dimensions_.d : dimensions_.n;
        if ((hidden || array == SOFTRELU_A2) && (rows != want_rows || columns != want_columns))
            throw error(SOFTRELU_ERROR_SIZE,
                        (std::string(hidden ? "A1" : "A2") + " must be " + std::to_string(want_rows) + " x " +
                         std::to_string(want_columns) + ", not " + std::to_string(rows) + " x " + std::to_string(columns))
                            .c_str());
    }
    dimensions dimensions_;
    std::shared_ptr<softrelu_problem> handle_;
};

/** What a solve did. Belongs to its solver or batch, and changes with the next solve. */
class report {
  public:
    explicit report(const softrelu_report *handle) noexcept : handle_(handle) {}
    softrelu_termination termination() const noexcept { return softrelu_report_termination(handle_); }
    bool converged() const noexcept { return termination() == SOFTRELU_CONVERGED; }
    const char *termination_name() const noexcept { return softrelu_termination_name(termination()); }
    const char *termination_text() const noexcept { return softrelu_termination_text(termination()); }
    double number(softrelu_quantity quantity) const {
        double value = 0.0;
        detail::check(softrelu_report_number(handle_, quantity, &value));
        return value;
    }
    double loss() const { return number(SOFTRELU_REPORT_LOSS); }
    double residual() const { return number(SOFTRELU_REPORT_RESIDUAL); }
    std::int64_t iterations() const { return static_cast<std::int64_t>(number(SOFTRELU_REPORT_ITERATIONS)); }
    double seconds() const { return number(SOFTRELU_REPORT_SECONDS); }
    std::int64_t trace_length() const noexcept { return softrelu_report_trace_length(handle_); }
    double trace_number(std::int64_t record, softrelu_quantity quantity) const {
        double value = 0.0;
        detail::check(softrelu_report_trace_number(handle_, record, quantity, &value));
        return value;
    }
    const softrelu_report *get() const noexcept { return handle_; }

  private:
    const softrelu_report *handle_;
};

/** What a point is. Belongs to its solver, batch or examiner, and changes with the next point. */
class certificate {
  public:
    certificate(const softrelu_certificate *handle, dimensions size) noexcept : handle_(handle), size_(size) {}
    softrelu_verdict verdict() const noexcept { return softrelu_certificate_verdict(handle_); }
    softrelu_reason reason() const noexcept { return softrelu_certificate_reason(handle_); }
    softrelu_distance distance() const noexcept { return softrelu_certificate_distance(handle_); }
    bool certified() const noexcept { return verdict() == SOFTRELU_VERDICT_CERTIFIED; }
    const char *verdict_name() const noexcept { return softrelu_verdict_name(verdict()); }
    double number(softrelu_certificate_quantity quantity) const {
        double value = 0.0;
        check(softrelu_certificate_number(handle_, quantity, &value));
        return value;
    }
    /** lambda (n) of the kinks and mu (d) of the bounds. */
    struct multipliers_type {
        std::vector<double> kinks, bounds;
    };
    multipliers_type multipliers() const {
        multipliers_type read{std::vector<double>(count(size_.n)), std::vector<double>(count(size_.d))};
        check(softrelu_certificate_multipliers(handle_, read.kinks.data(), size_.n, read.bounds.data(), size_.d));
        return read;
    }
    /** Which units are at their kink (n), which entries of x at which bound (d). */
    struct active_type {
        std::vector<signed char> kinks, bounds;
    };
    active_type active() const {
        active_type read{std::vector<signed char>(count(size_.n)), std::vector<signed char>(count(size_.d))};
        check(softrelu_certificate_active(handle_, read.kinks.data(), size_.n, read.bounds.data(), size_.d));
        return read;
    }
    /** The direction of descent or of negative curvature (d). */
    std::vector<double> direction() const {
        std::vector<double> read(count(size_.d));
        check(softrelu_certificate_direction(handle_, read.data(), size_.d));
        return read;
    }
    const softrelu_certificate *get() const noexcept { return handle_; }

  protected:
    static std::size_t count(std::int64_t size) { return static_cast<std::size_t>(size); }
    void check(softrelu_status status) const { detail::check(status, softrelu_certificate_message(handle_)); }
    const softrelu_certificate *handle_;
    dimensions size_;
};

/** Examines any point of a problem. */
class examiner : public certificate {
  public:
    explicit examiner(const problem &of) : certificate(nullptr, of.size()), problem_(of.share()) {
        softrelu_certificate *created = nullptr;
        detail::check(softrelu_certificate_create(of.get(), &created));
        owned_.reset(created);
        handle_ = created;
    }
    examiner &certify(span<const double> x, double kink_tolerance = 1e-9, double tolerance = 1e-12) {
        check(softrelu_certify(owned_.get(), x.data(), x.size(), kink_tolerance, tolerance));
        return *this;
    }

  private:
    struct destroy {
        void operator()(softrelu_certificate *handle) const noexcept { softrelu_certificate_destroy(handle); }
    };
    std::shared_ptr<softrelu_problem> problem_; // before owned_: destroyed after it
    std::unique_ptr<softrelu_certificate, destroy> owned_;
};

/** Values and derivatives at a point. */
class evaluator {
  public:
    explicit evaluator(const problem &of) : size_(of.size()), problem_(of.share()) {
        softrelu_evaluator *created = nullptr;
        detail::check(softrelu_evaluator_create(of.get(), &created));
        handle_.reset(created);
    }
    evaluator &move(span<const double> x) {
        check(softrelu_evaluator_move(get(), x.data(), x.size()));
        return *this;
    }
    std::vector<double> preactivations() { return vector(size_.n, softrelu_evaluator_preactivations); }
    std::vector<double> prediction() { return vector(size_.m, softrelu_evaluator_prediction); }
    std::vector<double> gradient() { return vector(size_.d, softrelu_evaluator_gradient); }
    void preactivations(span<double> u) { check(softrelu_evaluator_preactivations(get(), u.data(), u.size())); }
    void prediction(span<double> f) { check(softrelu_evaluator_prediction(get(), f.data(), f.size())); }
    void gradient(span<double> g) { check(softrelu_evaluator_gradient(get(), g.data(), g.size())); }
    struct loss_type {
        double total, fit, weights, proximity;
    };
    loss_type loss() {
        loss_type parts{};
        check(softrelu_evaluator_loss(get(), &parts.total, &parts.fit, &parts.weights, &parts.proximity));
        return parts;
    }
    /** d x d, symmetric. */
    std::vector<double> hessian() {
        std::vector<double> matrix(static_cast<std::size_t>(size_.d * size_.d));
        check(softrelu_evaluator_hessian(get(), matrix.data(), size_.d));
        return matrix;
    }
    void hessian(double *matrix, std::int64_t leading_dimension) {
        check(softrelu_evaluator_hessian(get(), matrix, leading_dimension));
    }
    /** d x d, symmetric. @return how many rows took part. */
    std::int64_t sampled_hessian(double epsilon, std::int64_t rows, std::uint64_t seed, std::uint64_t draw, double *matrix,
                                 std::int64_t leading_dimension) {
        std::int64_t sampled = 0;
        check(softrelu_evaluator_sampled_hessian(get(), epsilon, rows, seed, draw, matrix, leading_dimension, &sampled));
        return sampled;
    }
    void hessian_product(span<const double> direction, span<double> product) {
        if (direction.size() != product.size())
            throw error(SOFTRELU_ERROR_SIZE, "direction and product must be of one length");
        check(softrelu_evaluator_hessian_product(get(), direction.data(), product.data(), product.size()));
    }
    struct stationarity_type {
        double residual, relative;
        std::int64_t pinned, concave;
    };
    stationarity_type stationarity(double kink_tolerance = 1e-9) {
        stationarity_type found{};
        check(softrelu_evaluator_stationarity(get(), kink_tolerance, &found.residual, &found.relative, &found.pinned,
                                              &found.concave));
        return found;
    }
    struct derivatives_type {
        softrelu_derivative_verdict verdict;
        double gradient_order, hessian_order;
        std::int64_t kink;
    };
    /** Along a random direction drawn from seed, or along one that is given. */
    derivatives_type check_derivatives(std::uint64_t seed = 0, span<const double> direction = nullptr, double step = 0.0) {
        if (direction.data() != nullptr && direction.size() != size_.d)
            throw error(SOFTRELU_ERROR_SIZE, "direction must have d entries");
        derivatives_type found{};
        check(softrelu_evaluator_check_derivatives(get(), direction.data(), seed, step, &found.verdict, &found.gradient_order,
                                                   &found.hessian_order, &found.kink));
        return found;
    }
    softrelu_evaluator *get() const noexcept { return handle_.get(); }

  private:
    struct destroy {
        void operator()(softrelu_evaluator *handle) const noexcept { softrelu_evaluator_destroy(handle); }
    };
    using reader = softrelu_status (*)(softrelu_evaluator *, double *, std::int64_t);
    std::vector<double> vector(std::int64_t size, reader read) {
        std::vector<double> values(static_cast<std::size_t>(size));
        check(read(get(), values.data(), size));
        return values;
    }
    void check(softrelu_status status) const { detail::check(status, softrelu_evaluator_message(get())); }
    dimensions size_;
    std::shared_ptr<softrelu_problem> problem_;
    std::unique_ptr<softrelu_evaluator, destroy> handle_;
};

/** Minimises F. */
class solver {
  public:
    /** Called after every iteration; true stops the solve. An exception stops it, too, and leaves solve(). */
    using callback = std::function<bool(const report &)>;

    explicit solver(const problem &of) : size_(of.size()), problem_(of.share()), caller_(std::make_unique<caller>()) {
        softrelu_solver *created = nullptr;
        detail::check(softrelu_solver_create(of.get(), &created));
        handle_.reset(created);
    }

    /** Sets any setting; a whole number may be given for a real one. */
    template <class Value> solver &set(softrelu_setting setting, Value value) {
        give(get(), setting, value);
        return *this;
    }
    solver &set(const std::string &name, const std::string &value) {
        return check(softrelu_solver_set_text(get(), name.c_str(), value.c_str()));
    }
    std::int64_t get_integer(softrelu_setting setting) const {
        std::int64_t value = 0;
        check_const(softrelu_solver_get_integer(get(), setting, &value));
        return value;
    }
    double get_real(softrelu_setting setting) const {
        double value = 0.0;
        check_const(softrelu_solver_get_real(get(), setting, &value));
        return value;
    }
    /** nullptr goes back to the warm start. */
    solver &set_start(span<const double> x0) { return check(softrelu_solver_set_start(get(), x0.data(), x0.size())); }
    /** nullptr goes back to the problem's own vector. */
    solver &set_vector(softrelu_array array, span<const double> values) {
        return check(softrelu_solver_set_vector(get(), array, values.data(), values.size()));
    }
    solver &set_number(softrelu_array array, double value) { return check(softrelu_solver_set_number(get(), array, value)); }
    /** An empty function removes the callback. */
    solver &set_callback(callback function) {
        check(softrelu_solver_set_callback(get(), function ? &caller::call : nullptr, caller_.get()));
        caller_->function = std::move(function);
        return *this;
    }
    void request_stop() noexcept { softrelu_solver_request_stop(get()); }

    /** @throw error where the solve could not run; what the callback threw. */
    softrelu::report solve() {
        caller_->thrown = nullptr;
        const softrelu_status status = softrelu_solver_solve(get());
        if (caller_->thrown)
            std::rethrow_exception(std::exchange(caller_->thrown, nullptr));
        check(status);
        return report();
    }
    std::vector<double> solution() const {
        std::vector<double> x(static_cast<std::size_t>(size_.d));
        solution(x);
        return x;
    }
    void solution(span<double> x) const { check_const(softrelu_solver_solution(get(), x.data(), x.size())); }
    softrelu::report report() const noexcept { return softrelu::report(softrelu_solver_report(get())); }
    softrelu::certificate certificate() const noexcept { return {softrelu_solver_certificate(get()), size_}; }
    std::int64_t minimiser_count() const noexcept { return softrelu_solver_minimiser_count(get()); }
    std::vector<double> minimiser(std::int64_t index) const {
        std::vector<double> x(static_cast<std::size_t>(size_.d));
        check_const(softrelu_solver_minimiser(get(), index, x.data(), size_.d));
        return x;
    }
    softrelu::certificate minimiser_certificate(std::int64_t index) const {
        const softrelu_certificate *handle = softrelu_solver_minimiser_certificate(get(), index);
        if (handle == nullptr)
            throw error(SOFTRELU_ERROR_SIZE, "no minimiser of that index");
        return {handle, size_};
    }
    dimensions size() const noexcept { return size_; }
    softrelu_solver *get() const noexcept { return handle_.get(); }
    std::shared_ptr<softrelu_problem> share_problem() const noexcept { return problem_; }

  private:
    friend class counterfactual;
    struct destroy {
        void operator()(softrelu_solver *handle) const noexcept { softrelu_solver_destroy(handle); }
    };
    // has an address of its own, which stays when the solver is moved
    struct caller {
        callback function;
        std::exception_ptr thrown;
        static int call(const softrelu_report *handle, void *user) noexcept {
            caller *self = static_cast<caller *>(user);
            try {
                return self->function(softrelu::report(handle)) ? 1 : 0;
            } catch (...) { // no exception may pass through C
                self->thrown = std::current_exception();
                return 1;
            }
        }
    };
    template <class Value> static void give(softrelu_solver *handle, softrelu_setting setting, Value value) {
        static_assert(std::is_arithmetic_v<Value> || std::is_enum_v<Value>, "a setting is a number or a choice");
        const softrelu_status status = std::is_floating_point_v<Value> || is_real(setting)
                                           ? softrelu_solver_set_real(handle, setting, static_cast<double>(value))
                                           : softrelu_solver_set_integer(handle, setting, static_cast<std::int64_t>(value));
        detail::check(status, softrelu_solver_message(handle));
    }
    static bool is_real(softrelu_setting wanted) {
        for (std::int64_t k = 0; k < softrelu_setting_count(); k++) {
            softrelu_setting setting;
            softrelu_type type;
            detail::check(softrelu_setting_describe(k, &setting, nullptr, &type, nullptr, nullptr, nullptr, nullptr));
            if (setting == wanted)
                return type == SOFTRELU_REAL;
        }
        return false;
    }
    solver &check(softrelu_status status) {
        check_const(status);
        return *this;
    }
    void check_const(softrelu_status status) const { detail::check(status, softrelu_solver_message(get())); }
    dimensions size_;
    std::shared_ptr<softrelu_problem> problem_;
    std::unique_ptr<caller> caller_;
    std::unique_ptr<softrelu_solver, destroy> handle_;
};

/** Many targets that share A1 and A2. */
class batch {
  public:
    /** Called as a solver's callback for every target, one call at a time, and once more when a target has ended; true stops
       this target. An exception stops the batch and leaves solve(). */
    using callback = std::function<bool(std::int64_t target, const report &)>;

    batch(const solver &of, std::int64_t capacity, int threads = 0, softrelu_blas_use blas = SOFTRELU_BLAS_KEEP)
        : size_(of.size()), problem_(of.share_problem()), caller_(std::make_unique<caller>()) {
        softrelu_batch *created = nullptr;
        detail::check(softrelu_batch_create(of.get(), capacity, threads, blas, &created));
        handle_.reset(created);
        caller_->handle = created;
    }
    /** One column for each target; values must live until solve() returns. */
    batch &set_columns(softrelu_array array, const double *values, std::int64_t leading_dimension) {
        return check(softrelu_batch_set_columns(get(), array, values, leading_dimension));
    }
    batch &set_callback(callback function) {
        check(softrelu_batch_set_callback(get(), function ? &caller::call : nullptr, caller_.get()));
        caller_->function = std::move(function);
        return *this;
    }
    void request_stop() noexcept { softrelu_batch_request_stop(get()); }
    batch &solve(std::int64_t targets, double *x, std::int64_t leading_dimension) {
        caller_->thrown = nullptr;
        const softrelu_status status = softrelu_solve_batch(get(), targets, x, leading_dimension);
        if (caller_->thrown)
            std::rethrow_exception(std::exchange(caller_->thrown, nullptr));
        return check(status);
    }
    softrelu_status status(std::int64_t target) const noexcept { return softrelu_batch_status(get(), target); }
    const char *message(std::int64_t target) const noexcept { return softrelu_batch_target_message(get(), target); }
    softrelu::report report(std::int64_t target) const { return softrelu::report(known(softrelu_batch_report(get(), target))); }
    softrelu::certificate certificate(std::int64_t target) const {
        return {known(softrelu_batch_certificate(get(), target)), size_};
    }
    int threads() const noexcept { return softrelu_batch_threads(get()); }
    softrelu_batch *get() const noexcept { return handle_.get(); }

  private:
    struct destroy {
        void operator()(softrelu_batch *handle) const noexcept { softrelu_batch_destroy(handle); }
    };
    struct caller {
        callback function;
        std::exception_ptr thrown;
        softrelu_batch *handle = nullptr;
        static int call(std::int64_t target, const softrelu_report *handle, void *user) noexcept {
            caller *self = static_cast<caller *>(user);
            if (self->thrown)
                return 1;
            try {
                return self->function(target, softrelu::report(handle)) ? 1 : 0;
            } catch (...) {
                self->thrown = std::current_exception();
                softrelu_batch_request_stop(self->handle);
                return 1;
            }
        }
    };
    template <class Handle> static const Handle *known(const Handle *handle) {
        if (handle == nullptr)
            throw error(SOFTRELU_ERROR_SIZE, "the last run had no such target");
        return handle;
    }
    batch &check(softrelu_status status) {
        detail::check(status, softrelu_batch_message(get()));
        return *this;
    }
    dimensions size_;
    std::shared_ptr<softrelu_problem> problem_;
    std::unique_ptr<caller> caller_;
    std::unique_ptr<softrelu_batch, destroy> handle_;
};

/** The smallest change of an input that makes the network give a class. */
class counterfactual {
  public:
    explicit counterfactual(const problem &of)
        : size_(of.size()), problem_(of.share()), caller_(std::make_unique<solver::caller>()) {
        softrelu_counterfactual *created = nullptr;
        detail::check(softrelu_counterfactual_create(of.get(), &created));
        handle_.reset(created);
    }
    /** Any setting of the solver it works with. */
    template <class Value> counterfactual &set(softrelu_setting setting, Value value) {
        solver::give(softrelu_counterfactual_solver(get()), setting, value);
        return *this;
    }
    counterfactual &set_callback(solver::callback function) {
        softrelu_solver *of = softrelu_counterfactual_solver(get());
        detail::check(softrelu_solver_set_callback(of, function ? &solver::caller::call : nullptr, caller_.get()),
                      softrelu_solver_message(of));
        caller_->function = std::move(function);
        return *this;
    }
    void request_stop() noexcept { softrelu_counterfactual_request_stop(get()); }
    /** @param frozen d flags, or nullptr. @return how it ended: answers are there for "found" and "already". */
    softrelu_search search(span<const double> input, std::int64_t wanted, double confidence,
                           span<const signed char> frozen = nullptr, std::int64_t starts = 1) {
        if (frozen.data() != nullptr && frozen.size() != size_.d)
            throw error(SOFTRELU_ERROR_SIZE, "frozen must have d entries");
        caller_->thrown = nullptr;
        const softrelu_status status =
            softrelu_counterfactual_search(get(), input.data(), input.size(), wanted, confidence, frozen.data(), starts);
        if (caller_->thrown)
            std::rethrow_exception(std::exchange(caller_->thrown, nullptr));
        check(status);
        return outcome();
    }
    softrelu_search outcome() const noexcept { return softrelu_counterfactual_outcome(get()); }
    std::int64_t count() const noexcept { return softrelu_counterfactual_count(get()); }
    /** -1: the point of the highest confidence that was met. */
    std::vector<double> point(std::int64_t index) const {
        std::vector<double> x(static_cast<std::size_t>(size_.d));
        detail::check(softrelu_counterfactual_point(get(), index, x.data(), size_.d));
        return x;
    }
    double number(std::int64_t index, softrelu_answer quantity) const {
        double value = 0.0;
        detail::check(softrelu_counterfactual_number(get(), index, quantity, &value));
        return value;
    }
    /** The points that the search passed. */
    std::int64_t path_length() const noexcept { return softrelu_counterfactual_path_length(get()); }
    double path_number(std::int64_t index, softrelu_path quantity) const {
        double value = 0.0;
        detail::check(softrelu_counterfactual_path_number(get(), index, quantity, &value));
        return value;
    }
    softrelu_counterfactual *get() const noexcept { return handle_.get(); }

  private:
    struct destroy {
        void operator()(softrelu_counterfactual *handle) const noexcept { softrelu_counterfactual_destroy(handle); }
    };
    void check(softrelu_status status) const { detail::check(status, softrelu_counterfactual_message(get())); }
    dimensions size_;
    std::shared_ptr<softrelu_problem> problem_;
    std::unique_ptr<solver::caller> caller_;
    std::unique_ptr<softrelu_counterfactual, destroy> handle_;
};

/** What is known of F before any solve. */
class constants {
  public:
    explicit constants(const problem &of) : problem_(of.share()) {
        softrelu_constants *created = nullptr;
        detail::check(softrelu_constants_create(of.get(), &created));
        handle_.reset(created);
    }
    constants &move(span<const double> x) {
        check(softrelu_constants_move(get(), x.data(), x.size()));
        return *this;
    }
    double number(softrelu_constant constant) const {
        double value = 0.0;
        check(softrelu_constants_number(get(), constant, &value));
        return value;
    }
    /** The least w^2 for which the Hessian has least eigenvalue >= modulus in every cell. */
    double weight(double modulus) {
        double squared = 0.0;
        check(softrelu_constants_weight(get(), modulus, &squared));
        return squared;
    }
    softrelu_constants *get() const noexcept { return handle_.get(); }

  private:
    struct destroy {
        void operator()(softrelu_constants *handle) const noexcept { softrelu_constants_destroy(handle); }
    };
    void check(softrelu_status status) const { detail::check(status, softrelu_constants_message(get())); }
    std::shared_ptr<softrelu_problem> problem_;
    std::unique_ptr<softrelu_constants, destroy> handle_;
};

/** Version of the library that is running. */
inline std::string version() { return softrelu_version(); }
/** What the running BLAS says of itself. */
inline std::string blas_description() {
    char text[256];
    detail::check(softrelu_blas_description(text, sizeof text));
    return text;
}

} // namespace softrelu

#endif
