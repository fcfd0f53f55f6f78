/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include "inputs.h"
#include "ranks.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

enum {
    DATA = COMMAND_SOLVE | COMMAND_CHECK | COMMAND_CERTIFY | COMMAND_CONSTANTS,
    SEARCH = COMMAND_COUNTERFACTUAL,
    INVERT = COMMAND_INVERT,
    NETWORK = DATA | SEARCH | INVERT,
    RUNS = COMMAND_SOLVE | SEARCH | INVERT,
    FILES = COMMAND_SOLVE | COMMAND_CERTIFY,
    ANY = NETWORK | COMMAND_INFO | COMMAND_CONVERT
};

static const struct option_kind options[] = {
    {"A1", "FILE", ACTION_INPUT, INPUT_A1, NETWORK, "hidden layer, n x d (required)"},
    {"A2", "FILE", ACTION_INPUT, INPUT_A2, NETWORK, "output layer, m x n; without it the identity (m = n)"},
    {"mmap", NULL, ACTION_MAP, 0, NETWORK,
     "leave A2 in its file, which may be larger than memory (.npy in C order, .safetensors, HDF5 in one piece)"},
    {"b", "FILE", ACTION_INPUT, INPUT_B, DATA, "target for the outputs, m entries (required); solve: or k targets, k x m"},
    {"b", "FILE", ACTION_INPUT, INPUT_B, INVERT, "the outputs that are wanted, m entries (this or --class)"},
    {"c1", "FILE", ACTION_INPUT, INPUT_C1, NETWORK, "hidden bias, n entries (default 0)"},
    {"c2", "FILE", ACTION_INPUT, INPUT_C2, NETWORK, "output bias, m entries (default 0)"},
    {"w", "FILE|NUMBER", ACTION_INPUT, INPUT_W, DATA, "regularisation weights, n entries or one for all (default 0)"},
    {"rho", "NUMBER", ACTION_INPUT, INPUT_RHO, DATA, "weight of staying near x_ref, >= 0 (default 0)"},
    {"rho", "NUMBER", ACTION_INPUT, INPUT_RHO, INVERT, "weight of staying near x_ref, >= 0 (default 1e-6)"},
    {"x-ref", "FILE", ACTION_INPUT, INPUT_X_REF, DATA | INVERT, "the point to stay near, d entries (default 0)"},
    {"lower", "FILE|NUMBER", ACTION_INPUT, INPUT_LOWER, NETWORK,
     "least x, d entries or one for all, -inf: none (default none)"},
    {"upper", "FILE|NUMBER", ACTION_INPUT, INPUT_UPPER, NETWORK, "largest x, likewise; equal to lower: fixed (default none)"},
    {"input", "FILE", ACTION_INPUT, INPUT_INPUT, SEARCH, "the input that is to change, d entries (required)"},
    {"class", "J|NAME", ACTION_CLASS, 0, SEARCH, "the output that is wanted, counted from 0, or its name (required)"},
    {"class", "J|NAME", ACTION_CLASS, 0, INVERT, "the output that is wanted, counted from 0, or its name (this or --b)"},
    {"names", "FILE", ACTION_NAMES, 0, RUNS, "names of the outputs, a text file with one in each line"},
    {"confidence", "P", ACTION_CONFIDENCE, 0, SEARCH | INVERT, "its probability, between 0 and 1 (default 0.5)"},
    {"within", "T", ACTION_WITHIN, 0, INVERT, "total variation that counts as found (default 0.01)"},
    {"starts", "K", ACTION_STARTS, 0, INVERT, "points to search from (default 8)"},
    {"freeze", "LIST|FILE", ACTION_FREEZE, 0, SEARCH, "entries that must not change: 0,4,10-20, or d flags 0 and 1"},
    {"answers", "K", ACTION_ANSWERS, 0, SEARCH, "look for up to K distinct answers (default 1)"},
    {"loss", "squares|kl", ACTION_LOSS, 0, DATA, "how f is compared with b (default squares)"},
    {"x0", "FILE", ACTION_INPUT, INPUT_X0, COMMAND_SOLVE | COMMAND_CHECK | INVERT,
     "starting point, d entries (default: a warm start)"},
    {"x", "FILE", ACTION_INPUT, INPUT_X, COMMAND_CHECK, "point to check at, d entries (default: x0, else random)"},
    {"x", "FILE", ACTION_INPUT, INPUT_X, COMMAND_CERTIFY, "the point to examine, d entries (required)"},
    {"x", "FILE", ACTION_INPUT, INPUT_X, COMMAND_CONSTANTS, "add the constants of this point, d entries"},
    {"modulus", "NUMBER", ACTION_MODULUS, 0, COMMAND_CONSTANTS, "add the least w^2 for this strong convexity, > 0"},
    {"seed", "NUMBER", ACTION_SEED, 0, COMMAND_CHECK, "of the random point and direction (default 1)"},
    {"out", "FILE", ACTION_OUT, 0, COMMAND_SOLVE | INVERT,
     "write the best x found (.npy; .npz, .safetensors: with f; .h5: and the report)"},
    {"out", "FILE", ACTION_OUT, 0, COMMAND_CERTIFY, "write the direction of descent, if there is one (.npy)"},
    {"report", "FILE", ACTION_REPORT, 0, COMMAND_CERTIFY, "write certificate and multipliers (JSON)"},
    {"report", "FILE", ACTION_REPORT, 0, COMMAND_CONSTANTS, "write the constants (JSON)"},
    {"report", "FILE", ACTION_REPORT, 0, COMMAND_CHECK, "write what was found (JSON)"},
    {"report", "FILE", ACTION_REPORT, 0, COMMAND_SOLVE | INVERT, "write the report with its trace (JSON)"},
    {"out", "FILE", ACTION_OUT, 0, SEARCH, "write the nearest answer, as solve does; with --answers a row for each"},
    {"report", "FILE", ACTION_REPORT, 0, SEARCH, "write the answers with their proofs (JSON)"},
    {"html", "FILE", ACTION_HTML, 0, RUNS, "write a page with plots and tables, one file that needs nothing else"},
    {"shape", "RxC", ACTION_SHAPE, 0, RUNS, "show x on the page as an image of so many rows and columns"},
    {"svg", "FILE", ACTION_SVG, 0, COMMAND_SOLVE | INVERT, "write the plot of loss and residual by iteration"},
    {"svg", "FILE", ACTION_SVG, 0, SEARCH, "write the plot of probability by distance"},
    {"set", "NAME=VALUE", ACTION_SET, 0, RUNS, "change a setting; 'softrelu info' lists them"},
    {"max-iterations", "N", ACTION_SETTING, SOFTRELU_SETTING_MAX_ITERATIONS, COMMAND_SOLVE, "setting: iterations at most"},
    {"tolerance", "T", ACTION_SETTING, SOFTRELU_SETTING_TOLERANCE, FILES, "setting: relative residual that counts as zero"},
    {"kink-tolerance", "T", ACTION_SETTING, SOFTRELU_SETTING_KINK_TOLERANCE, FILES,
     "setting: relative |u| that counts as zero"},
    {"hessian", "KIND", ACTION_SETTING, SOFTRELU_SETTING_HESSIAN, COMMAND_SOLVE, "setting: exact, gauss-newton or sampled"},
    {"time-limit", "S", ACTION_SETTING, SOFTRELU_SETTING_TIME_LIMIT, RUNS, "setting: seconds at most"},
    {"threads", "K", ACTION_THREADS, 0, COMMAND_SOLVE, "of many targets, solve K at a time (default: one per processor)"},
    {"json", NULL, ACTION_JSON, 0, NETWORK, "print the report on stdout (JSON), and nothing else there"},
    {"json", NULL, ACTION_JSON, 0, COMMAND_CONVERT, "print what was written (JSON)"},
    {"json", NULL, ACTION_JSON, 0, COMMAND_INFO, "print all of it as JSON"},
    {"quiet", NULL, ACTION_QUIET, 0, NETWORK | COMMAND_CONVERT, "print errors only"},
    {"verbose", NULL, ACTION_VERBOSE, 0, RUNS, "a line per iteration on stderr, in place of the live one"},
    {"help", NULL, ACTION_HELP, 0, ANY, "print this help"},
};

struct command_kind {
    enum command command;
    int words; /* that are no options */
    const char *name;
    const char *usage;
    const char *text;
    const char *notes;
};

static const struct command_kind commands[] = {
    {COMMAND_SOLVE, 1, "solve", "[PROBLEM] [OPTION ...]", "find the input x whose output f(x) is nearest b",
     "The result goes to stdout, progress and errors to stderr. Ctrl-C stops at the next check and keeps the best x found; "
     "once more quits at once. An output file appears whole or not at all.\n"
     "With a 2-D --b every row is a target: x0, x-ref, lower and upper may then be k x d, a row for each target, x is written "
     "k x d and f, where the file can hold it, k x m (nan where there is none), and the report has a result for each. A bad "
     "row fails alone.\n"
     "Exit status: 0 converged, every target; 1 stopped before convergence (the files are written); 2 bad usage or bad input; "
     "3 out of "
     "memory or a failure to read or write."},
    {COMMAND_INVERT, 1, "invert", "[PROBLEM] [--class J] [OPTION ...]", "find an input that has these outputs",
     "Searches from several points for the x whose outputs are nearest, in the sense of kl, to those of --b, or to output J "
     "with "
     "probability P and equal ones for the rest.\n"
     "Exit status: 0 found; 1 not found, which proves nothing (the files are written); 2 bad usage or bad input; 3 out of "
     "memory or "
     "a failure to read or write."},
    {COMMAND_COUNTERFACTUAL, 1, "counterfactual", "[PROBLEM] --input FILE --class J [OPTION ...]",
     "find the nearest input of another class",
     "The answer is the smallest change, in Euclidean length, that gives output J the probability P, as far as a search that "
     "follows minimisers can find it. Proof means: no input in a neighbourhood of the answer is nearer and as probable.\n"
     "Exit status: 0 found, or the input itself will do; 1 not found, which proves nothing, or stopped; 2 bad usage or bad "
     "input; "
     "3 out of memory or a failure to read or write."},
    {COMMAND_CHECK, 1, "check", "[PROBLEM] [OPTION ...]", "compare gradient and Hessian with the loss itself",
     "Takes ever shorter steps from a point and measures how fast the Taylor remainders shrink.\n"
     "Exit status: 0 they agree, or nothing can be said (and why); 1 they disagree; 2 bad usage or bad input; 3 out of memory "
     "or a failure to read or write."},
    {COMMAND_CERTIFY, 1, "certify", "[PROBLEM] --x FILE [OPTION ...]", "say what a point is, and prove it",
     "Computes everything anew from the data: the stationarity residual with its multipliers, the kinks and bounds the point "
     "is at, the least eigenvalue of the Hessian on what they leave free, and how far a minimiser is at most.\n"
     "Exit status: 0 certified local minimiser; 1 anything else (the files are written; --out only when there is a direction); "
     "2 bad usage or bad input, such as a point outside its bounds; 3 out of memory or a failure to read or write."},
    {COMMAND_CONSTANTS, 1, "constants", "[PROBLEM] [OPTION ...]", "say what is proved of F before any solve",
     "Bounds, over all points, of the eigenvalues of the Hessian and of how fast it changes, and whether F is proved convex; "
     "with --x also what holds in the cell of that point. All of it is proved.\n"
     "Exit status: 0 done; 2 bad usage or bad input; 3 out of memory or a failure to read or write."},
    {COMMAND_CONVERT, 2, "convert", "IN[:NAME] OUT[:NAME]", "bring arrays from one kind of file to another",
     "One array, where IN is a .npy file or names one; else all of IN, or of an HDF5 group of it, with the loss if OUT can "
     "hold "
     "it (.h5 and .safetensors can). float32 stays float32, and float16 and bfloat16 become it; integers become float64. OUT "
     "is "
     "replaced, as a whole or not at all; what it is follows from its extension.\n"
     "Exit status: 0 done; 2 bad usage or bad input; 3 out of memory or a failure to read or write."},
    {COMMAND_INFO, 0, "info", "", "show version, BLAS, threads and all settings", ""},
};

enum { COMMAND_TOTAL = sizeof commands / sizeof commands[0] };

size_t option_count(void) { return sizeof options / sizeof options[0]; }

const struct option_kind *option_kind(size_t index) { return &options[index]; }

static const struct command_kind *kind_of(enum command command) {
    size_t i = 0;
    while (i + 1 < COMMAND_TOTAL && commands[i].command != command) {
        i++;
    }
    return &commands[i];
}

int command_words(enum command command) { return kind_of(command)->words; }

const char *command_name(enum command command) { return kind_of(command)->name; }

unsigned command_find(const char *name) {
    for (size_t i = 0; i < COMMAND_TOTAL; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return commands[i].command;
        }
    }
    return 0;
}

static void print_paragraphs(const char *text) {
    while (*text != '\0') {
        char paragraph[512];
        const size_t length = strcspn(text, "\n");
        (void)snprintf(paragraph, sizeof paragraph, "%.*s", (int)length, text);
        putchar('\n');
        text_fold(stdout, 0, 0, paragraph);
        text += length;
        text += strspn(text, "\n");
    }
}

void help_program(void) {
    printf("%s: which input makes a two-layer network produce this output?\n", program_name);
    puts("\n  u = A1 x + c1   h = max(u, 0)   z = A2 h + c2   f = softmax(z)");
    puts("  minimise over x   loss(f, b) + 1/2 |w * A1 x|^2 + rho/2 |x - x_ref|^2");
    printf("\nusage: %s COMMAND [OPTION ...]\n\n", program_name);
    for (size_t i = 0; i < COMMAND_TOTAL; i++) {
        if ((commands[i].command & program_commands) != 0) {
            printf("  %-14s %s\n", commands[i].name, commands[i].text);
        }
    }
    printf("\n  %s COMMAND --help   options of a command\n  %s --version        version of the library in use\n", program_name,
           program_name);
    print_paragraphs(
        "FILE is a .npy file as numpy.save writes it (float64 or float32, C or Fortran order), or an array in a file of "
        "several: weights.npz:A1, model.safetensors:fc1.weight, data.h5:/group/A1. PROBLEM is a file, or an HDF5 "
        "group FILE:/GROUP, with arrays A1, A2, b, c1, c2, w, rho, x_ref, x0, lower and upper, and in .h5 the "
        "attributes loss and names (of the outputs), in .safetensors the loss as metadata; options replace what is in it. For "
        "example:");
    puts("\n  softrelu solve --A1 A1.npy --A2 A2.npy --b b.npy --w 1e-3 --out x.npy\n  softrelu solve problem.h5 --out "
         "result.h5");
}

void help_command(enum command command) {
    enum { FLAG_COLUMN = 2, TEXT_COLUMN = 27 };
    const struct command_kind *kind = kind_of(command);
    printf("usage: %s %s %s\n\n%s\n\n", program_name, kind->name, kind->usage, kind->text);
    if (kind->words == 1) {
        printf("%*s%-*s", FLAG_COLUMN, "", TEXT_COLUMN - FLAG_COLUMN, "PROBLEM");
        text_fold(stdout, TEXT_COLUMN, TEXT_COLUMN,
                  "file, or HDF5 group FILE:/GROUP, with all arrays by name; options replace what is in it, or give all");
    }
    for (size_t i = 0; i < option_count(); i++) {
        if ((options[i].commands & (unsigned)command) != 0) {
            const int used =
                printf("%*s--%s %s", FLAG_COLUMN, "", options[i].flag, options[i].argument != NULL ? options[i].argument : "");
            printf("%*s", used < TEXT_COLUMN ? TEXT_COLUMN - used : 1, "");
            text_fold(stdout, TEXT_COLUMN, TEXT_COLUMN, options[i].text);
        }
    }
    if (kind->notes[0] != '\0') {
        print_paragraphs(kind->notes);
    }
}
