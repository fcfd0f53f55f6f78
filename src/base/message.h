/* The per-handle error message: which argument, which index, which value. */
#ifndef SRL_BASE_MESSAGE_H
#define SRL_BASE_MESSAGE_H

#include <softrelu/softrelu.h>

struct srl_message {
    char text[256];
};

/* Writes the message and returns status, so that a check reads: return srl_fail(message, SOFTRELU_ERROR_SIZE, "n = ..."). */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
softrelu_status
srl_fail(struct srl_message *message, softrelu_status status, const char *format, ...);

#endif
