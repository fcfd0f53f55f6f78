/* Two solves with the same outcome, bit by bit. */
#ifndef SOFTRELU_TESTS_SAME_H
#define SOFTRELU_TESTS_SAME_H

#include "support/testing.h"

/* Terminations and quantities, but for what is measured with a clock. */
void assert_same_report(const softrelu_report *actual, const softrelu_report *expected);
/* Verdicts, reasons and quantities. */
void assert_same_certificate(const softrelu_certificate *actual, const softrelu_certificate *expected);
/* Solutions of d entries, and reports. */
void assert_same_solution(const softrelu_solver *actual, const softrelu_solver *expected, int64_t d);

#endif
