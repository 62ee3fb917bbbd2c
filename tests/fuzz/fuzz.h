/* For the fuzz targets: the input as a file, since the functions under test take paths. */
#ifndef XAUDIT_FUZZ_H
#define XAUDIT_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry point. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file of these bytes, the same one each time; `slot` 0 or 1. Valid until the next call with that
 * slot. */
const char *fuzz_file(int slot, const void *data, size_t size);
/* Lengthens it with zeros that take no room. */
void fuzz_lengthen(int slot, size_t size);
/* A temporary folder, empty; the same each time. */
const char *fuzz_folder(void);
/* Writes folder/name. */
void fuzz_put(const char *name, const void *data, size_t size);
/* Ends the process if a promise is broken, so that the fuzzer reports it. */
#define FUZZ_ASSERT(x) ((x) ? (void)0 : fuzz_fail(#x, __FILE__, __LINE__))
void fuzz_fail(const char *what, const char *file, int line);

#endif
