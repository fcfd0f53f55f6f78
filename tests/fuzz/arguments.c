/* Any words as the command line of softrelu, one a line, up to where a problem is built of them: options, numbers, settings,
   files of arrays. A file named by one capital letter is one of those below, in memory; none is written. */
#include <ctype.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "arguments.h"
#include "fuzz.h"
#include "npy_stream.h"
#include "number.h"
#include "problem.h"
#include "settings.h"

enum { MOST_WORDS = 40 };

static struct {
    int dimensions;
    int64_t shape[2];
    bool fortran_order;
    double values[6];
} files[] = {
    {2, {3, 2}, false, {1, 0, 0, 1, 1, -1}},
    {2, {2, 3}, true, {1, 0.5, -1, 2, 0, 1}},
    {1, {2}, false, {0.25, 0.75}},
    {2, {3, 2}, true, {0.5, 1, 0, 0.5, 0, 1}},
    {1, {3}, false, {1, 0, -1}},
    {2, {2, 2}, false, {1, 2, 3, 4}},
    {1, {3}, false, {0.25, 0.25, 0.5}},
    {0, {1}, false, {3}},
    {1, {2}, false, {NAN, 1}},
    {1, {2}, false, {-INFINITY, INFINITY}},
    {1, {2}, false, {INFINITY, 0}},
    {1, {0}, false, {0}},
    {2, {1, 1}, false, {5e-324}},
    {2, {3, 2}, false, {NAN, 1, 0, 1, 1, 0}},
    {2, {2, 3}, false, {1e300, 1e300, -1e300, 1e300}},
    {3, {1, 1}, false, {1}},
};
enum { FILES = sizeof files / sizeof files[0] };
static char paths[FILES][32];

static void make_files(void) {
    for (int i = 0; i < FILES && paths[i][0] == '\0'; i++) {
        const int descriptor = memfd_create("npy", 0);
        FILE *stream = descriptor >= 0 ? fdopen(descriptor, "wb") : NULL;
        struct npy_array array = {
            {.shape = {files[i].shape[0], files[i].shape[1], 1}, .dimensions = files[i].dimensions}, files[i].values, NULL};
        array.header.fortran_order = files[i].fortran_order;
        array.header.count = 1;
        for (int k = 0; k < array.header.dimensions; k++)
            array.header.count *= array.header.shape[k];
        HOLDS(stream != NULL && npy_write_stream(stream, &array));
        HOLDS(fflush(stream) == 0); /* open from here on */
        (void)snprintf(paths[i], sizeof paths[i], "/proc/self/fd/%d", descriptor);
    }
}

static void numbers(const char *word) {
    double value = 0, again = 0;
    uint64_t whole = 0;
    char text[64];
    if (number_parse(word, &value) && isfinite(value)) {
        (void)snprintf(text, sizeof text, "%.17g", value);
        HOLDS(number_parse(text, &again) && value == again && number_word(value) == NULL);
    }
    if (number_parse_unsigned(word, &whole)) {
        HOLDS(strspn(word, "0123456789") == strlen(word));
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)whole);
        HOLDS(strcmp(text, word + strspn(word, "0") - (whole == 0 ? 1 : 0)) == 0);
    }
}

static void all_settings(const softrelu_solver *solver, double *values) {
    struct setting_kind kind;
    for (int64_t i = 0; setting_describe(i, &kind); i++) {
        values[i] = setting_value(solver, &kind);
        HOLDS(values[i] >= kind.minimum && values[i] <= kind.maximum);
        HOLDS((setting_choice(&kind, values[i]) != NULL) == (kind.type == SOFTRELU_CHOICE));
    }
}

/* One setting as text: taken, and within its bounds, or refused with a message, and nothing changed. */
static void set_text(softrelu_solver *solver, const char *name, const char *value) {
    double before[64], after[64];
    struct setting_kind kind;
    HOLDS(softrelu_setting_count() <= 64);
    all_settings(solver, before);
    const softrelu_status status = softrelu_solver_set_text(solver, name, value);
    all_settings(solver, after);
    bool known = false;
    for (int64_t i = 0; setting_describe(i, &kind); i++) {
        const bool named = strcmp(kind.name, name) == 0;
        known = known || named;
        HOLDS((named && status == SOFTRELU_OK) || before[i] == after[i]);
    }
    HOLDS(known == (status != SOFTRELU_ERROR_UNKNOWN));
    HOLDS((softrelu_solver_message(solver)[0] == '\0') == (status == SOFTRELU_OK));
}

/* Loads what the command line names and builds the problem. */
static void build_problem(const struct arguments *arguments) {
    const char *texts[INPUT_COUNT];
    struct inputs inputs;
    struct failure failure = {""};
    softrelu_problem *problem = NULL;
    for (int id = 0; id < INPUT_COUNT; id++) {
        const char *text = arguments->input[id];
        const bool one = text != NULL && text[0] >= 'A' && text[0] < 'A' + FILES && text[1] == '\0';
        texts[id] = one ? paths[text[0] - 'A'] : text;
    }
    const enum outcome loaded = inputs_load(&inputs, texts, arguments->command == COMMAND_SOLVE, arguments->map, &failure);
    if (loaded != OUTCOME_OK) {
        HOLDS(loaded == OUTCOME_BAD_INPUT && strncmp(failure.text, "--", 2) == 0);
        return;
    }
    const enum outcome built = problem_build(&inputs, arguments->loss, &problem, &failure);
    HOLDS((built == OUTCOME_OK) == (problem != NULL));
    HOLDS(built == OUTCOME_OK || (built == OUTCOME_BAD_INPUT && failure.text[0] != '\0'));
    softrelu_problem_destroy(problem);
    inputs_free(&inputs);
}

static void parse(int argc, char **argv) {
    struct arguments arguments;
    struct failure failure = {""};
    struct tolerances tolerances = {-1, -1};
    const enum outcome outcome = arguments_parse(argc, argv, &arguments, &failure);
    if (outcome != OUTCOME_OK) {
        static const struct arguments nothing;
        HOLDS(outcome == OUTCOME_BAD_INPUT && failure.text[0] != '\0');
        HOLDS(arguments.settings == NULL && arguments.setting_count == nothing.setting_count);
        return;
    }
    const enum outcome settled = settings_check(&arguments, &tolerances, &failure);
    HOLDS(settled == OUTCOME_OK ? tolerances.residual >= 0 && tolerances.kink >= 0 : failure.text[0] != '\0');
    if (!arguments.help && arguments.command != COMMAND_INFO)
        build_problem(&arguments);
    arguments_free(&arguments);
}

static softrelu_solver *make_solver(softrelu_problem **problem) {
    const double one[4] = {1, 1, 1, 1};
    softrelu_solver *solver = NULL;
    HOLDS(softrelu_problem_create(2, 2, 2, NULL, NULL, NULL, problem) == SOFTRELU_OK);
    HOLDS(softrelu_problem_set_matrix(*problem, SOFTRELU_A1, one, SOFTRELU_ROW_MAJOR, 2, SOFTRELU_COPY) == SOFTRELU_OK);
    HOLDS(softrelu_problem_set_vector(*problem, SOFTRELU_B, one, 2, SOFTRELU_COPY) == SOFTRELU_OK);
    HOLDS(softrelu_problem_finish(*problem) == SOFTRELU_OK);
    HOLDS(softrelu_solver_create(*problem, &solver) == SOFTRELU_OK);
    return solver;
}

static void set_words(int argc, char **argv) {
    softrelu_problem *problem = NULL;
    softrelu_solver *solver = make_solver(&problem);
    for (int i = 1; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (equals != NULL) {
            *equals = '\0';
            set_text(solver, argv[i], equals + 1);
            numbers(equals + 1);
            *equals = '=';
        } else {
            set_text(solver, argv[i], i + 1 < argc ? argv[i + 1] : "");
        }
        numbers(argv[i]);
    }
    softrelu_solver_destroy(solver);
    softrelu_problem_destroy(problem);
}

/* getopt may have stopped in the middle of a word that is gone by now; the program calls it once. */
static void forget_words(void) {
    char name[] = "softrelu", *only[] = {name, NULL};
    optind = 0;
    HOLDS(getopt(1, only, "") == -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *argv[MOST_WORDS + 2] = {NULL};
    int argc = 0;
    argv[argc++] = strdup("softrelu");
    while (size > 0 && argc <= MOST_WORDS) {
        const uint8_t *end = memchr(data, '\n', size);
        const size_t length = end != NULL ? (size_t)(end - data) : size;
        argv[argc++] = strndup((const char *)data, length);
        data += length + (end != NULL ? 1 : 0);
        size -= length + (end != NULL ? 1 : 0);
    }
    char *words[MOST_WORDS + 2];
    memcpy(words, argv, sizeof words); /* getopt reorders */
    make_files();
    set_words(argc, argv);
    if (argc > 1)
        parse(argc, argv);
    forget_words();
    for (int i = 0; i < argc; i++)
        free(words[i]);
    return 0;
}
