/* SPDX-License-Identifier: BSD-3-Clause */
/* An HDF5 file of arrays and a report. */
#ifndef SOFTRELU_CLI_HDF5_WRITE_H
#define SOFTRELU_CLI_HDF5_WRITE_H

#include "archive.h"

/*
 * Arrays are datasets of the root group. Of the attributes, a JSON object, numbers and texts become attributes (true and false
 * are 1 and 0, null is nan), an object becomes a group of the same kind, and a list of texts an attribute, and a list of
 * objects a group with a dataset for each key, which holds that key's value in all of them. A key that a dataset has already is
 * left out. As archive_format.write.
 */
bool hdf5_write(FILE *stream, const struct archive_entry *entries, size_t count, json_t *attributes);

#endif
