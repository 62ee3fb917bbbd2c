/* Safetensors files that tests write and damage, each beside a config.json. */
#ifndef XAUDIT_TEST_VIT_FILE_H
#define XAUDIT_TEST_VIT_FILE_H

#include "xaudit/util.h"

#define GOLDEN XA_TEST_DATA "/golden/safetensors/"

enum { VIT_PATH = 128 };
/* The folder, and the safetensors file in it that the functions below write or open. */
extern char vit_folder[], vit_path[VIT_PATH];
int vit_make_folder(void **state);
int vit_remove_folder(void **state);

void vit_put_file(const char *name, const void *bytes, size_t n);
/* A file of this header and `data` zero bytes. */
void vit_put(const char *header, size_t data);
/* A copy of tests/golden/safetensors/<name>.safetensors. */
void vit_copy_golden(const char *name);
/* Changes the first `from` of the header to `to`, with blanks in place of what is missing, which
 * JSON does not mind. */
void vit_edit_header(const char *from, const char *to);
/* Writes config.json; NULL: removes it. */
void vit_put_config(const char *text);
/* The file must be refused with this status and an error that names it and has these words. */
void vit_refused(xa_status code, const char *words);

#endif
