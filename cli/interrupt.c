/* SPDX-License-Identifier: BSD-3-Clause */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* The only mutable state of the program that is not on a stack: a handler can be told things in no other way. */
static struct {
    softrelu_solver *volatile solver; /* one of the three, or none */
    softrelu_batch *volatile batch;
    softrelu_counterfactual *volatile search;
    volatile sig_atomic_t signal;
} interrupt;

static const int signals[] = {SIGINT, SIGTERM, SIGUSR1};
enum { SIGNAL_COUNT = sizeof signals / sizeof signals[0] };

static void handle(int number) {
    interrupt.signal = number;
    softrelu_solver_request_stop(interrupt.solver);
    softrelu_batch_request_stop(interrupt.batch);
    softrelu_counterfactual_request_stop(interrupt.search);
}

/* Replaces what happens on the signals, unless they are ignored from outside (as under nohup). */
static void install(void (*handler)(int), int flags) {
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        struct sigaction old;
        struct sigaction action = {0};
        action.sa_handler = handler;
        action.sa_flags = flags;
        (void)sigemptyset(&action.sa_mask);
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
            (void)sigaction(signals[i], &action, NULL);
        }
    }
}

static void begin(void) {
    interrupt.signal = 0;
    install(handle, (int)SA_RESETHAND);
}

/* Nothing else is safe here, and nothing of what was being computed is worth anything. */
static void lose_file(int number) {
    static const char message[] = "softrelu: error: --mmap: the file of A2 has become shorter, or cannot be read\n";
    (void)number;
    (void)!write(STDERR_FILENO, message, sizeof message - 1);
    _exit(OUTCOME_RESOURCES);
}

void interrupt_at_lost_file(void) {
    struct sigaction action = {0};
    action.sa_handler = lose_file;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGBUS, &action, NULL);
}

void interrupt_begin(softrelu_solver *solver) {
    interrupt.solver = solver;
    begin();
}

void interrupt_begin_batch(softrelu_batch *batch) {
    interrupt.batch = batch;
    begin();
}

void interrupt_begin_search(softrelu_counterfactual *search) {
    interrupt.search = search;
    begin();
}

int interrupt_signal(void) { return interrupt.signal; }

const char *interrupt_text(void) {
    return interrupt.signal == SIGINT    ? "interrupted (SIGINT)"
           : interrupt.signal == SIGTERM ? "asked to end (SIGTERM)"
                                         : "asked to stop (SIGUSR1)";
}

void interrupt_end(void) {
    install(SIG_IGN, 0);
    interrupt.solver = NULL;
    interrupt.batch = NULL;
    interrupt.search = NULL;
}
