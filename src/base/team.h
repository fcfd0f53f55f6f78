/* Threads that share a piece of work. They live for one call, block all signals, so that handlers run where the program wants
   them, and never outlive it. */
#ifndef SRL_BASE_TEAM_H
#define SRL_BASE_TEAM_H

enum { SRL_MOST_THREADS = 256 };

/* Calls work(context, member) for member = 0 on the calling thread and for 1 .. members - 1 on threads of their own, and waits
   for all. A member whose thread the system refuses is left out: the work must be such that the others do it. Returns how many
   took part. 1 <= members <= SRL_MOST_THREADS. */
int srl_team_run(int members, void (*work)(void *context, int member), void *context);

#endif
