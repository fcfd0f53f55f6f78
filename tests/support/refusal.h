/* Calls that must be refused, and what their messages must say. */
#ifndef SOFTRELU_TESTS_REFUSAL_H
#define SOFTRELU_TESTS_REFUSAL_H

#include "support/testing.h"

/* Distinct bad inputs refused so far in this program. */
extern int64_t refusals;

#define REFUSE(call, expected) refuse_at(__LINE__, #call, call, expected)
void refuse_at(int line, const char *call, softrelu_status actual, softrelu_status expected);

#define SAYS(message, fragment) says_at(__LINE__, message, fragment)
void says_at(int line, const char *message, const char *fragment);

#endif
