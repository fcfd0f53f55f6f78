/* SPDX-License-Identifier: BSD-3-Clause */
/* theory --out FOLDER [--only a|b|c] [--draws N]: the experiments of docs/paper.md, as tables here and as .csv in the folder.
 */
#include "theory.h"

#include <string.h>

FILE *open_table(const char *folder, const char *name) {
    char path[4096];
    need(snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path, "a path that is too long");
    FILE *file = fopen(path, "w");
    need(file != NULL, path);
    return file;
}

static int usage(void) {
    fprintf(stderr, "usage: theory --out FOLDER [--only a|b|c] [--draws N]\n");
    return 2;
}

int main(int count, char **words) {
    const char *folder = NULL, *only = "abc";
    double draws = 200.0;
    for (int i = 1; i < count; i += 2) {
        if (i + 1 == count)
            return usage();
        if (strcmp(words[i], "--out") == 0)
            folder = words[i + 1];
        else if (strcmp(words[i], "--only") == 0)
            only = words[i + 1];
        else if (strcmp(words[i], "--draws") != 0 || !read_number(words[i + 1], 1.0, 1e6, &draws))
            return usage();
    }
    if (folder == NULL)
        return usage();
    if (strchr(only, 'a') != NULL)
        experiment_contraction(folder);
    if (strchr(only, 'b') != NULL)
        experiment_loss(folder);
    if (strchr(only, 'c') != NULL)
        experiment_spectrum(folder, THEORY_VOCABULARY, (int64_t)draws);
    return 0;
}
