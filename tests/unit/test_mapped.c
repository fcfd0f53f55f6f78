/* A matrix that is mapped from a file: what is read of it, how often, and how much of it is in memory at a time. The linker
 * puts this test in front of every call that lets go of rows: so many rows have been read. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "linalg/blas.h"
#include "support/counting.h"
#include "support/refusal.h"
#include "support/solving.h"

static int64_t rows_read;    /* since it was last set to 0 */
static double most_resident; /* bytes of the mapping that is watched, whenever some of it goes */
static const void *watched;  /* NULL: none */
/* A block of 4 MiB, or a few rows here and there, and the huge pages that Linux may map around them, one at each end. */
static const double HUGE_PAGE = 1 << 21, BLOCK = 4 << 20, FEW_ROWS = 4;
static double most_allowed(void) { return fmax(BLOCK, FEW_ROWS * HUGE_PAGE) + 2.0 * HUGE_PAGE; }

/* The resident bytes of the mapping that begins there, from /proc/self/smaps; 0 where the system does not tell. */
static double resident_bytes(const void *start) {
    FILE *smaps = fopen("/proc/self/smaps", "r");
    char line[512], wanted[32];
    double bytes = 0.0;
    bool found = false;
    (void)snprintf(wanted, sizeof wanted, "%lx-", (unsigned long)(uintptr_t)start);
    while (smaps != NULL && bytes == 0.0 && fgets(line, sizeof line, smaps) != NULL) {
        found = found || strncmp(line, wanted, strlen(wanted)) == 0;
        if (found && strncmp(line, "Rss:", 4) == 0) {
            bytes = 1024.0 * strtod(line + 4, NULL);
            break;
        }
    }
    if (smaps != NULL)
        (void)fclose(smaps);
    return bytes;
}

void __real_srl_let_go_of_rows(const struct srl_matrix *a, int64_t first, int64_t count);
void __wrap_srl_let_go_of_rows(const struct srl_matrix *a, int64_t first, int64_t count);

void __wrap_srl_let_go_of_rows(const struct srl_matrix *a, int64_t first, int64_t count) {
    assert_true(first >= 0 && count > 0 && first + count <= a->rows);
    rows_read += count;
    if (watched != NULL && (count > 1000 || first % 4096 < count)) /* asking takes its time */
        most_resident = fmax(most_resident, resident_bytes(watched));
    __real_srl_let_go_of_rows(a, first, count);
}

/* ---- files ---- */

struct mapping {
    void *start;
    size_t bytes;
};

/* A file with those bytes, from an offset on, mapped; nobody else sees it. */
static struct mapping map_bytes(const void *bytes, size_t count, size_t offset, int protection, int flags) {
    FILE *file = tmpfile();
    assert_non_null(file);
    struct mapping mapping = {NULL, offset + count};
    assert_int_equal(fseek(file, (long)offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fflush(file), 0);
    mapping.start = mmap(NULL, mapping.bytes, protection, flags, fileno(file), 0);
    assert_true(mapping.start != MAP_FAILED);
    assert_int_equal(fclose(file), 0);
    return mapping;
}

static void unmap(struct mapping *mapping) { assert_int_equal(munmap(mapping->start, mapping->bytes), 0); }

/* ---- products ---- */

struct shape {
    int64_t rows, columns, padding;
};

/* One matrix in memory and in a file, in one of the precisions. */
struct twins {
    struct srl_matrix held, mapped;
    void *entries;
    struct mapping file;
};

static struct twins twins_of(struct test_random *random, struct shape shape, bool single) {
    const int64_t ld = shape.columns + shape.padding, count = shape.rows * ld;
    const size_t size = single ? sizeof(float) : sizeof(double), offset = 3 * size; /* not where a page begins */
    struct twins twins = {.entries = test_doubles(count)};
    for (int64_t k = 0; k < count; k++) {
        const double value = random_normal(random);
        if (single)
            ((float *)twins.entries)[k] = (float)value;
        else
            ((double *)twins.entries)[k] = value;
    }
    twins.file = map_bytes(twins.entries, (size_t)count * size, offset, PROT_READ, MAP_SHARED);
    const void *there = (char *)twins.file.start + offset;
    twins.held = (struct srl_matrix){single ? NULL : twins.entries, shape.rows, shape.columns, ld, true,
                                     single ? twins.entries : NULL, false};
    twins.mapped = (struct srl_matrix){single ? NULL : there, shape.rows, shape.columns, ld, true, single ? there : NULL, true};
    return twins;
}

/* One pass over the matrix, and results that are those of the matrix in memory, but for the order of sums. */
static void expect(const struct twins *twins, int64_t passes, int64_t count, const double *actual, const double *expected) {
    assert_int_equal(rows_read, passes * twins->held.rows);
    rows_read = 0;
    assert_true(worst_error(count, actual, expected) <= 1e-12);
}

static void products_of(struct test_random *random, const struct twins *twins) {
    const struct srl_matrix *held = &twins->held, *mapped = &twins->mapped;
    const int64_t rows = held->rows, columns = held->columns, longer = rows > columns ? rows : columns;
    double *x = test_doubles(2 * longer), *y = test_doubles(2 * longer), *expected = test_doubles(2 * longer);
    random_fill(random, 1.0, 2 * longer, x);
    for (int op = 0; op < 2; op++)
        for (int k = 0; k < 3; k++) {
            const int64_t length = op == 0 ? rows : columns;
            random_fill(random, 1.0, length, expected);
            memcpy(y, expected, (size_t)length * sizeof *y);
            srl_gemv(op == 0 ? SRL_PLAIN : SRL_TRANSPOSED, -1.5, held, x, (double)k - 1.0, expected);
            assert_int_equal(rows_read, 0);
            srl_gemv(op == 0 ? SRL_PLAIN : SRL_TRANSPOSED, -1.5, mapped, x, (double)k - 1.0, y);
            expect(twins, 1, length, y, expected);
        }
    double scratch[512];
    assert_true(columns <= 512);
    srl_column_norms_of(held, scratch, expected);
    srl_column_norms_of(mapped, scratch, y);
    expect(twins, 1, columns, y, expected);
    double *row_scratch = test_doubles(rows);
    srl_row_norms_of(held, row_scratch, expected);
    srl_row_norms_of(mapped, row_scratch, y);
    expect(twins, 1, rows, y, expected);
    const int32_t listed[] = {0, (int32_t)(columns / 2), (int32_t)columns - 1};
    memset(y, 0, (size_t)rows * sizeof *y);
    memset(expected, 0, (size_t)rows * sizeof *expected);
    srl_add_columns(held, listed, 3, x, expected);
    srl_add_columns(mapped, listed, 3, x, y);
    expect(twins, 1, rows, y, expected);
    srl_add_columns(mapped, listed, 0, x, y);
    expect(twins, 0, rows, y, expected);
    srl_column_ends_of(held, expected, expected + columns);
    srl_column_ends_of(mapped, y, y + columns);
    expect(twins, 1, 2 * columns, y, expected);
    for (int64_t first = 0; first < rows; first += 1000) {
        const int64_t count = rows - first < 1000 ? rows - first : 1000;
        srl_gemm_rows(held, first, count, 2, x, expected + 2 * first);
        srl_gemm_rows(mapped, first, count, 2, x, y + 2 * first);
    }
    expect(twins, 1, 2 * rows, y, expected);
    free(x);
    free(y);
    free(expected);
    free(row_scratch);
}

/* Rows that are listed, far from each other and in no order, and rows in a row. */
static void gathers_of(const struct twins *twins) {
    enum { LISTED = 64 };
    int32_t list[LISTED];
    for (int64_t k = 0; k < LISTED; k++)
        list[k] = (int32_t)(k * 7919 % twins->held.rows);
    const struct srl_range rows[] = {{list, 0, LISTED}, {NULL, twins->held.rows / 2, 2}}, all = {NULL, 0, twins->held.columns};
    const int64_t most = LISTED * all.count;
    double *actual = test_doubles(most), *expected = test_doubles(most);
    float *narrow = (float *)(void *)test_doubles(most), *wanted = (float *)(void *)test_doubles(most);
    for (int k = 0; k < 2; k++) {
        srl_gather(&twins->held, rows[k], all, expected);
        srl_gather_single(&twins->held, rows[k], all, wanted);
        assert_int_equal(rows_read, 0);
        srl_gather(&twins->mapped, rows[k], all, actual);
        srl_gather_single(&twins->mapped, rows[k], all, narrow);
        assert_int_equal(rows_read, 2 * rows[k].count);
        assert_same_doubles(rows[k].count * all.count, actual, expected);
        assert_memory_equal(narrow, wanted, (size_t)(rows[k].count * all.count) * sizeof *narrow);
        rows_read = 0;
    }
    free(actual);
    free(expected);
    free(narrow);
    free(wanted);
}

static void test_products(void **state) {
    (void)state;
    static const struct shape shapes[] = {{4, 3, 0}, {60001, 33, 5}, {16000, 400, 0}}; /* of one block, and of some */
    struct test_random random = {42};
    for (int64_t k = 0; k < test_effort(3, 3, 2); k++)
        for (int single = 0; single < 2; single++) {
            struct twins twins = twins_of(&random, shapes[k], single == 1);
            watched = twins.file.start;
            most_resident = 0.0;
            products_of(&random, &twins);
            gathers_of(&twins);
            assert_true(most_resident <= most_allowed());
            assert_true(resident_bytes(watched) <= HUGE_PAGE);
            watched = NULL;
            unmap(&twins.file);
            free(twins.entries);
        }
}

/* Entries whose squares are beyond double precision, and columns of zeros: two passes more, whatever the number of columns. */
static void test_norms_out_of_range(void **state) {
    (void)state;
    enum { ROWS = 20000, COLUMNS = 40 };
    struct test_random random = {7};
    double *entries = test_doubles((int64_t)ROWS * COLUMNS), norms[COLUMNS], expected[COLUMNS], scratch[COLUMNS];
    for (int64_t k = 0; k < (int64_t)ROWS * COLUMNS; k++)
        entries[k] = k % COLUMNS == 3 ? 0.0 : random_normal(&random) * (k % COLUMNS == 5 ? 1e-200 : 1e200);
    struct mapping file = map_bytes(entries, sizeof(double) * ROWS * COLUMNS, 0, PROT_READ, MAP_SHARED);
    const struct srl_matrix held = {entries, ROWS, COLUMNS, COLUMNS, true, NULL, false},
                            mapped = {file.start, ROWS, COLUMNS, COLUMNS, true, NULL, true};
    srl_column_norms_of(&held, scratch, expected);
    rows_read = 0;
    srl_column_norms_of(&mapped, scratch, norms);
    assert_int_equal(rows_read, 3 * ROWS);
    rows_read = 0;
    assert_same_doubles(COLUMNS, norms, expected);
    assert_true(norms[3] == 0.0 && isfinite(norms[0]) && norms[5] > 1e-199 && norms[5] < 1e-196);
    unmap(&file);
    free(entries);
}

/* ---- problems ---- */

enum { N = 64, D = 12, M = 40000 }; /* 20 MB: five blocks */
enum { CERTIFICATE = 5 };           /* passes for it, as docs/scaling.md says */

struct posed {
    struct instance instance;
    struct mapping file;
    softrelu_problem *problem;
};

static softrelu_problem *describe(const struct instance *instance, const void *A2, softrelu_ownership ownership,
                                  struct counting *counting) {
    softrelu_problem *problem = NULL;
    assert_int_equal(softrelu_problem_create(N, D, M, counting_allocate, counting_release, counting, &problem), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A1, instance->A1, SOFTRELU_ROW_MAJOR, D, SOFTRELU_BORROW),
                     SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_matrix(problem, SOFTRELU_A2, A2, SOFTRELU_ROW_MAJOR, N, ownership), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_B, instance->b, M, SOFTRELU_BORROW), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_vector(problem, SOFTRELU_W, instance->w, N, SOFTRELU_BORROW), SOFTRELU_OK);
    assert_int_equal(softrelu_problem_set_loss(problem, SOFTRELU_KL), SOFTRELU_OK);
    return problem;
}

static double passes(void) {
    const double passes = (double)rows_read / M;
    rows_read = 0;
    return passes;
}

/* A2 is looked through when it is given, and its columns' norms and ends are taken when the problem is sealed. */
static struct posed pose(struct test_random *random, struct counting *counting) {
    struct posed posed = {.instance = synthetic_instance(random, N, D, M, 0.3, 1e-2)};
    posed.file = map_bytes(posed.instance.A2, sizeof(double) * M * N, 0, PROT_READ, MAP_SHARED);
    rows_read = 0;
    watched = posed.file.start;
    most_resident = 0.0;
    posed.problem = describe(&posed.instance, posed.file.start, SOFTRELU_MAP, counting);
    assert_true(passes() == 1.0);
    assert_int_equal(softrelu_problem_finish(posed.problem), SOFTRELU_OK);
    assert_true(passes() == 2.0);
    return posed;
}

static void forget(struct posed *posed) {
    assert_true(most_resident <= most_allowed());
    assert_true(resident_bytes(posed->file.start) <= HUGE_PAGE);
    watched = NULL;
    softrelu_problem_destroy(posed->problem);
    unmap(&posed->file);
    instance_free(&posed->instance);
}

/* What docs/scaling.md says of an evaluator. */
static void test_evaluator(void **state) {
    (void)state;
    struct test_random random = {3};
    struct counting counting = {0};
    struct posed posed = pose(&random, &counting);
    double x[D], gradient[D], direction[D], product[D], hessian[D * D], loss;
    softrelu_evaluator *evaluator = NULL;
    random_fill(&random, 1.0, D, x);
    random_fill(&random, 1.0, D, direction);
    assert_int_equal(softrelu_evaluator_create(posed.problem, &evaluator), SOFTRELU_OK);
    assert_int_equal(softrelu_evaluator_move(evaluator, x, D), SOFTRELU_OK);
    assert_true(passes() == 1.0);
    assert_int_equal(softrelu_evaluator_loss(evaluator, &loss, NULL, NULL, NULL), SOFTRELU_OK);
    assert_true(passes() == 0.0);
    assert_int_equal(softrelu_evaluator_gradient(evaluator, gradient, D), SOFTRELU_OK);
    assert_true(passes() == 1.0);
    assert_int_equal(softrelu_evaluator_hessian_product(evaluator, direction, product, D), SOFTRELU_OK);
    assert_true(passes() == 2.0);
    assert_int_equal(softrelu_evaluator_hessian(evaluator, hessian, D), SOFTRELU_OK);
    assert_true(passes() == 2.0); /* the mean of the rows, which a solver has from its gradient, and the rows */
    softrelu_evaluator_destroy(evaluator);
    forget(&posed);
}

struct solved {
    double x[D], passes, evaluations, assemblies, asked; /* asked: bytes of the solver */
};

static struct solved solved_by(softrelu_problem *problem, const struct counting *counting, const char *hessian,
                               const char *step, const char *jacobian_memory) {
    struct solved solved = {.asked = (double)counting->bytes};
    softrelu_solver *solver = NULL;
    assert_int_equal(softrelu_solver_create(problem, &solver), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_text(solver, "hessian", hessian), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_text(solver, "step", step), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_set_text(solver, "jacobian_memory", jacobian_memory), SOFTRELU_OK);
    solved.asked = (double)counting->bytes - solved.asked;
    assert_true(passes() == 0.0);
    assert_int_equal(softrelu_solver_solve(solver), SOFTRELU_OK);
    solved.passes = passes();
    solved.evaluations = report_number(solver, SOFTRELU_REPORT_EVALUATIONS);
    solved.assemblies = report_number(solver, SOFTRELU_REPORT_ASSEMBLIES);
    assert_int_equal(softrelu_certificate_verdict(softrelu_solver_certificate(solver)), SOFTRELU_VERDICT_CERTIFIED);
    assert_int_equal(softrelu_solver_solution(solver, solved.x, D), SOFTRELU_OK);
    softrelu_solver_destroy(solver);
    return solved;
}

/* Mapped or not, the same point, certified; in memory in which nothing of A2's size is kept, unless that was asked for. */
static void test_solves(void **state) {
    (void)state;
    static const char *const ways[][2] = {{"exact", "cholesky"}, {"sampled", "cholesky"}, {"sampled", "pcg"}};
    struct test_random random = {5};
    struct counting counting = {0};
    struct posed posed = pose(&random, &counting);
    softrelu_problem *held = describe(&posed.instance, posed.instance.A2, SOFTRELU_BORROW, &counting);
    assert_int_equal(softrelu_problem_finish(held), SOFTRELU_OK);
    for (int64_t k = 0; k < test_effort(3, 3, 1); k++) {
        const struct solved expected = solved_by(held, &counting, ways[k][0], ways[k][1], "-1");
        const struct solved actual = solved_by(posed.problem, &counting, ways[k][0], ways[k][1], "-1");
        assert_true(expected.passes == 0.0);
        assert_true(worst_error(D, actual.x, expected.x) <= 1e-8);
        assert_true(actual.asked + 8.0 * M * D <= expected.asked); /* no Jacobian, and no light network */
    }
    const struct solved streamed = solved_by(posed.problem, &counting, "exact", "cholesky", "-1"),
                        kept = solved_by(posed.problem, &counting, "exact", "cholesky", "100");
    /* an evaluation: forward, back, and in a line search the rates; a matrix: its rows; then the certificate */
    assert_true(streamed.passes <= 3.0 * streamed.evaluations + streamed.assemblies + CERTIFICATE);
    assert_true(kept.asked >= streamed.asked + 8.0 * M * D);
    assert_true(worst_error(D, kept.x, streamed.x) <= 1e-8);
    softrelu_problem_destroy(held);
    forget(&posed);
}

static void test_certificate(void **state) {
    (void)state;
    struct test_random random = {11};
    struct counting counting = {0};
    struct posed posed = pose(&random, &counting);
    const struct solved solved = solved_by(posed.problem, &counting, "exact", "cholesky", "-1");
    const struct judgement found = judge(posed.problem, solved.x, D, NULL);
    assert_int_equal(found.verdict, SOFTRELU_VERDICT_CERTIFIED);
    assert_true(passes() == CERTIFICATE);
    forget(&posed);
}

/* ---- what is not mapped ---- */

static softrelu_status offer(softrelu_problem *problem, const void *A2) {
    return softrelu_problem_set_matrix(problem, SOFTRELU_A2, A2, SOFTRELU_ROW_MAJOR, N, SOFTRELU_MAP);
}

/* Memory that letting go of would change is refused, and stays as it is. */
static void test_refusals(void **state) {
    (void)state;
    struct test_random random = {13};
    struct counting counting = {0};
    struct instance instance = synthetic_instance(&random, N, D, M, 0.3, 1e-2);
    softrelu_problem *problem = describe(&instance, instance.A2, SOFTRELU_BORROW, &counting);
    double *copy = test_copy(instance.A2, (int64_t)M * N);
    const size_t bytes = sizeof(double) * M * N;
    REFUSE(offer(problem, copy), SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_problem_message(problem), "A2: SOFTRELU_MAP, but this memory is not that of a file");
    assert_same_doubles((int64_t)M * N, copy, instance.A2);

    struct mapping own = map_bytes(instance.A2, bytes, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    REFUSE(offer(problem, own.start), SOFTRELU_ERROR_VALUE);
    unmap(&own);

    struct mapping read_only = map_bytes(instance.A2, bytes, 0, PROT_READ, MAP_PRIVATE);
    assert_int_equal(offer(problem, read_only.start), SOFTRELU_OK);
    REFUSE(softrelu_problem_set_matrix(problem, SOFTRELU_A2, read_only.start, SOFTRELU_COLUMN_MAJOR, M, SOFTRELU_MAP),
           SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_problem_message(problem), "A2: SOFTRELU_MAP is for a row-major matrix");
    REFUSE(softrelu_problem_set_matrix(problem, SOFTRELU_A1, read_only.start, SOFTRELU_ROW_MAJOR, D, SOFTRELU_MAP),
           SOFTRELU_ERROR_VALUE);
    SAYS(softrelu_problem_message(problem), "A1: SOFTRELU_MAP is for A2");
    REFUSE(softrelu_problem_set_vector(problem, SOFTRELU_B, read_only.start, M, SOFTRELU_MAP), SOFTRELU_ERROR_VALUE);
    unmap(&read_only);

    struct mapping shared = map_bytes(instance.A2, bytes, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
    ((double *)shared.start)[(int64_t)M * N - 2] = -2.5; /* what is written to a shared mapping stays */
    assert_int_equal(offer(problem, shared.start), SOFTRELU_OK);
    assert_true(((double *)shared.start)[(int64_t)M * N - 2] == -2.5);
    ((double *)shared.start)[17 * N + 5] = INFINITY;
    REFUSE(offer(problem, shared.start), SOFTRELU_ERROR_NOT_FINITE);
    SAYS(softrelu_problem_message(problem), "A2[17, 5] = inf");
    softrelu_problem_destroy(problem);
    unmap(&shared);
    free(copy);
    instance_free(&instance);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products), cmocka_unit_test(test_norms_out_of_range), cmocka_unit_test(test_evaluator),
        cmocka_unit_test(test_solves),   cmocka_unit_test(test_certificate),        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
