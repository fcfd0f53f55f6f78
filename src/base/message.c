#include "base/message.h"

#include <stdarg.h>
#include <stdio.h>

softrelu_status srl_fail(struct srl_message *message, softrelu_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message->text, sizeof message->text, format, arguments);
    va_end(arguments);
    return status;
}
