#ifndef SRL_BASE_CLOCK_H
#define SRL_BASE_CLOCK_H

/* Seconds on a monotonic clock, from an arbitrary origin. */
double srl_now(void);

#endif
