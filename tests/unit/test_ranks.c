/* What is added up is added up whole, in however many parts it goes. */
#include <math.h>
#include <stdlib.h>

#include "base/ranks.h"
#include "support/testing.h"

struct counted {
    int64_t calls, most;
};

/* Of two ranks that have the same. */
static int twice(void *context, double *values, int64_t count) {
    struct counted *counted = context;
    counted->calls++;
    counted->most = count > counted->most ? count : counted->most;
    for (int64_t i = 0; i < count; i++)
        values[i] *= 2.0;
    return 0;
}
static int same(void *context, double *values, int64_t count) {
    (void)context;
    (void)values;
    (void)count;
    return 0;
}
static int nothing(void *context, void *bytes, int64_t count, int root) {
    (void)context;
    (void)bytes;
    (void)count;
    return root;
}

enum { STOPS = 2 };

static struct srl_ranks two_ranks(struct counted *counted, int64_t room) {
    struct srl_ranks ranks = {.communicator = {sizeof(softrelu_communicator), 0, 2, counted, twice, same, nothing}};
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    assert_true(srl_ranks_reserve(&ranks, room, &allocator));
    return ranks;
}

static void release_ranks(struct srl_ranks *ranks) {
    const struct srl_allocator allocator = srl_allocator_of(NULL, NULL, NULL);
    srl_ranks_release(ranks, &allocator);
}

static void triangles_go_in_parts(void **state) {
    (void)state;
    for (int64_t order = 0; order <= 9; order++)
        for (int64_t room = 1; room <= 50; room++) {
            struct counted counted = {0};
            struct srl_ranks ranks = two_ranks(&counted, room);
            double *matrix = test_doubles(order * order);
            for (int64_t i = 0; i < order * order; i++)
                matrix[i] = (double)(i + 1);
            srl_sum_triangle(&ranks, order, matrix);
            for (int64_t k = 0; k < order; k++)
                for (int64_t i = 0; i < order; i++)
                    assert_true(matrix[i + k * order] == (double)(i + k * order + 1) * (i >= k ? 2.0 : 1.0));
            const int64_t count = order * (order + 1) / 2;
            assert_int_equal(counted.calls, (count + room - 1) / room);
            assert_true(counted.most <= room + STOPS);
            free(matrix);
            release_ranks(&ranks);
        }
}

static void what_is_no_number_counts_as_infinite(void **state) {
    (void)state;
    struct counted counted = {0};
    struct srl_ranks ranks = two_ranks(&counted, 4);
    double values[] = {-1.0, NAN, -INFINITY};
    srl_largest(&ranks, 3, values);
    assert_true(values[0] == -1.0 && values[1] == INFINITY && values[2] == -INFINITY);
    release_ranks(&ranks);
}

static void vectors_go_in_parts(void **state) {
    (void)state;
    for (int64_t room = 1; room <= 12; room++) {
        struct counted counted = {0};
        struct srl_ranks ranks = two_ranks(&counted, room);
        double values[10];
        for (int i = 0; i < 10; i++)
            values[i] = i + 1.0;
        srl_sum(&ranks, 10, values);
        for (int i = 0; i < 10; i++)
            assert_true(values[i] == 2.0 * (i + 1.0));
        assert_int_equal(counted.calls, (10 + room - 1) / room);
        assert_true(counted.most <= room + STOPS);
        release_ranks(&ranks);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(triangles_go_in_parts),
        cmocka_unit_test(what_is_no_number_counts_as_infinite),
        cmocka_unit_test(vectors_go_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
