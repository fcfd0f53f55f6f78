#include "support/same.h"

#include <stdlib.h>
#include <string.h>

static bool is_time(const char *name) { return strncmp(name, "seconds", 7) == 0; }

void assert_same_report(const softrelu_report *actual, const softrelu_report *expected) {
    assert_int_equal(softrelu_report_termination(actual), softrelu_report_termination(expected));
#define SAME_NUMBER(id, number, name, type, text)                                                                              \
    if (!is_time(name)) {                                                                                                      \
        double left = -1.0, right = -2.0;                                                                                      \
        assert_int_equal(softrelu_report_number(actual, id, &left), SOFTRELU_OK);                                              \
        assert_int_equal(softrelu_report_number(expected, id, &right), SOFTRELU_OK);                                           \
        assert_same_doubles(1, &left, &right);                                                                                 \
    }
    SOFTRELU_QUANTITY_LIST(SAME_NUMBER)
#undef SAME_NUMBER
}

void assert_same_certificate(const softrelu_certificate *actual, const softrelu_certificate *expected) {
    assert_int_equal(softrelu_certificate_verdict(actual), softrelu_certificate_verdict(expected));
    assert_int_equal(softrelu_certificate_reason(actual), softrelu_certificate_reason(expected));
    assert_int_equal(softrelu_certificate_distance(actual), softrelu_certificate_distance(expected));
#define SAME_NUMBER(id, number, name, type, text)                                                                              \
    {                                                                                                                          \
        double left = -1.0, right = -2.0;                                                                                      \
        assert_int_equal(softrelu_certificate_number(actual, id, &left), SOFTRELU_OK);                                         \
        assert_int_equal(softrelu_certificate_number(expected, id, &right), SOFTRELU_OK);                                      \
        assert_same_doubles(1, &left, &right);                                                                                 \
    }
    SOFTRELU_CERTIFICATE_LIST(SAME_NUMBER)
#undef SAME_NUMBER
}

void assert_same_solution(const softrelu_solver *actual, const softrelu_solver *expected, int64_t d) {
    double *left = test_doubles(d), *right = test_doubles(d);
    assert_int_equal(softrelu_solver_solution(actual, left, d), SOFTRELU_OK);
    assert_int_equal(softrelu_solver_solution(expected, right, d), SOFTRELU_OK);
    assert_same_doubles(d, left, right);
    assert_same_report(softrelu_solver_report(actual), softrelu_solver_report(expected));
    free(left);
    free(right);
}
