/* Gives a fuzz target every file of a folder: replay FOLDER. */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

static void replay_file(const char *folder, const char *name) {
    char path[4096];
    HOLDS(snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path);
    FILE *file = fopen(path, "rb");
    HOLDS(file != NULL && fseek(file, 0, SEEK_END) == 0);
    const long length = ftell(file);
    rewind(file);
    HOLDS(length >= 0);
    uint8_t *data = malloc(length > 0 ? (size_t)length : 1);
    HOLDS(data != NULL && fread(data, 1, (size_t)length, file) == (size_t)length);
    (void)fclose(file);
    (void)fprintf(stderr, "%s\n", path); /* the last one is the culprit */
    (void)LLVMFuzzerTestOneInput(data, (size_t)length);
    free(data);
}

int main(int argc, char **argv) {
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    HOLDS(folder != NULL);
    int files = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        replay_file(argv[1], entry->d_name);
        files++;
    }
    (void)closedir(folder);
    printf("%d inputs replayed\n", files);
    HOLDS(files > 0);
    return 0;
}
