/* Memory that is mapped from a file: whose pages can go, because the file has them. */
#ifndef SRL_BASE_MAPPING_H
#define SRL_BASE_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

/* Whether letting go of these bytes can lose nothing: all of them are mapped from files, and none is a copy of its own that may
   have been written to. False too where the system does not say. */
bool srl_is_mapped_from_file(const void *start, size_t bytes);
/* Lets go of the pages that these bytes of such memory lie in: they count no longer as resident, and are read again when they
   are asked for. */
void srl_let_go_of_pages(const void *start, size_t bytes);

#endif
