/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Solvers on one member of the synthetic family, one after the other, from the same start: one line of JSON for each.
 *
 *     peers --list
 *     peers --check
 *     peers [--size N,D,M] [--noise S] [--weight W] [--seed K] [--turn T] [--time-limit SECONDS] [--evaluations E]
 *           [--clock wall|processor] [SOLVER ...]
 *
 * Each runs in a process of its own on the same data. --turn T: begin with the T-th solver, so that none is always the first.
 * Exit status 1 when one of them crashed or hung: the others have run all the same.
 * --check compares the evaluation that all peers share with that of the library.
 */
#include "peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "member.h"
#include "outcome.h"
#include "peer.h"

enum { PEERS_MOST = 64, GRACE_SECONDS = 60, GRACE = 4 };

static const struct peer *const groups[] = {
    softrelu_peers,
#ifdef WITH_LIBLBFGS
    liblbfgs_peers,
#endif
#ifdef WITH_NLOPT
    nlopt_peers,
#endif
#ifdef WITH_GSL
    gsl_peers,
#endif
#ifdef WITH_CMINPACK
    cminpack_peers,
#endif
#ifdef WITH_IPOPT
    ipopt_peers,
#endif
#ifdef WITH_CERES
    ceres_peers,
#endif
};

static const struct peer *peers[PEERS_MOST];
static int peer_count;

static void gather_peers(void) {
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (const struct peer *peer = groups[g]; peer->name != NULL; peer++) {
            need(peer_count < PEERS_MOST, "too many peers");
            peers[peer_count++] = peer;
        }
}

static const struct peer *peer_named(const char *name) {
    for (int k = 0; k < peer_count; k++)
        if (strcmp(peers[k]->name, name) == 0)
            return peers[k];
    fprintf(stderr, "peers: no solver %s here\n", name);
    exit(2);
}

static struct {
    int n, d, m, turn;
    double noise, weight, time_limit;
    uint64_t seed;
    int64_t evaluations;
    bool processor_time;
} options = {200, 20, 100, 0, 0.0, 1e-2, 10.0, 1, 20000, false};

/* ---- one run, in the child --------------------------------------------------------------------------------------- */

struct run {
    struct evaluation *evaluation;
    const struct peer *peer;
    int out; /* file descriptor */
};

static void report(const struct run *run, const double *x, const char *status) {
    char *text = outcome_json(run->evaluation, run->peer->name, x, status);
    FILE *file = fdopen(run->out, "w");
    need(file != NULL && fprintf(file, "%s\n", text) > 0 && fclose(file) == 0, "writing the outcome");
    _exit(0); /* what the peer has still to tidy up or to say is of no interest */
}

static void over(void *context) {
    const struct run *run = context;
    report(run, NULL, race_end_name(run->evaluation->race.end));
}

static void run_child(struct run *run) {
    struct evaluation *at = run->evaluation;
    char status[STATUS_ROOM] = "";
    double *x = numbers(at->d);
    memcpy(x, at->member->x0, (size_t)at->d * sizeof *x);
    need(freopen("/dev/null", "w", stdout) != NULL && freopen("/dev/null", "w", stderr) != NULL, "/dev/null");
    (void)alarm((unsigned)(GRACE * options.time_limit) + GRACE_SECONDS); /* for a peer that no longer evaluates anything */
    at->race.over = over;
    at->race.context = run;
    bring_memory_in();
    evaluation_start(at, options.time_limit, options.evaluations, options.processor_time);
    run->peer->solve(at, x, status);
    report(run, x, status);
}

/* ---- the parent -------------------------------------------------------------------------------------------------- */

static void copy_until_closed(int in) {
    char block[65536];
    for (ssize_t count; (count = read(in, block, sizeof block)) > 0;)
        need(fwrite(block, 1, (size_t)count, stdout) == (size_t)count, "writing");
    need(fflush(stdout) == 0, "writing");
}

/* Whether it ended well. */
static bool run_peer(struct evaluation *evaluation, const struct peer *peer) {
    int ends[2];
    need(pipe(ends) == 0, "pipe");
    const pid_t child = fork();
    need(child >= 0, "fork");
    if (child == 0) {
        (void)close(ends[0]);
        struct run run = {evaluation, peer, ends[1]};
        run_child(&run);
    }
    (void)close(ends[1]);
    copy_until_closed(ends[0]);
    (void)close(ends[0]);
    int status = 1;
    need(waitpid(child, &status, 0) == child, "waitpid");
    const struct member *member = evaluation->member;
    if (status != 0)
        fprintf(stderr, "peers: %s on (%d, %d, %d), noise %g, weight %g, seed %llu failed: wait status %d\n", peer->name,
                member->n, member->d, member->m, member->noise, member->weight, (unsigned long long)member->seed, status);
    return status == 0;
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static void take_option(const char *name, const char *value) {
    need(value != NULL, "an option without its value");
    char rest;
    bool good = true;
    if (strcmp(name, "--size") == 0)
        good = sscanf(value, "%d,%d,%d%c", &options.n, &options.d, &options.m, &rest) == 3 && options.n > 0 && options.d > 0 &&
               options.m > 0;
    else if (strcmp(name, "--noise") == 0)
        good = sscanf(value, "%lf%c", &options.noise, &rest) == 1;
    else if (strcmp(name, "--weight") == 0)
        good = sscanf(value, "%lf%c", &options.weight, &rest) == 1;
    else if (strcmp(name, "--seed") == 0)
        options.seed = strtoull(value, NULL, 10);
    else if (strcmp(name, "--turn") == 0)
        good = (options.turn = atoi(value)) >= 0;
    else if (strcmp(name, "--time-limit") == 0)
        good = (options.time_limit = atof(value)) > 0.0;
    else if (strcmp(name, "--clock") == 0)
        good = (options.processor_time = strcmp(value, "processor") == 0) || strcmp(value, "wall") == 0;
    else if (strcmp(name, "--evaluations") == 0)
        good = (options.evaluations = atoll(value)) > 0;
    else
        good = false;
    if (good)
        return;
    fprintf(stderr, "peers: bad option %s %s\n", name, value);
    exit(2);
}

static void list_peers(void) {
    for (int k = 0; k < peer_count; k++)
        puts(peers[k]->name);
}

int main(int count, char **arguments) {
    gather_peers();
    if (count == 2 && strcmp(arguments[1], "--list") == 0) {
        list_peers();
        return 0;
    }
    if (count == 2 && strcmp(arguments[1], "--check") == 0)
        return check_evaluation() ? 0 : 1;
    const struct peer *chosen[PEERS_MOST];
    int chosen_count = 0;
    for (int k = 1; k < count; k++) {
        if (strncmp(arguments[k], "--", 2) == 0) {
            take_option(arguments[k], k + 1 < count ? arguments[k + 1] : NULL);
            k++;
        } else if (chosen_count < PEERS_MOST)
            chosen[chosen_count++] = peer_named(arguments[k]);
    }
    if (chosen_count == 0) {
        memcpy(chosen, peers, sizeof peers);
        chosen_count = peer_count;
    }
    struct member *member = member_create(options.n, options.d, options.m, options.noise, options.weight, options.seed);
    struct evaluation *evaluation = evaluation_create(member);
    bool good = true;
    for (int k = 0; k < chosen_count; k++)
        good = run_peer(evaluation, chosen[(k + options.turn) % chosen_count]) && good;
    evaluation_destroy(evaluation);
    member_destroy(member);
    return good ? 0 : 1;
}
