/* Safetensors files that tests write and damage. */
#include "vit_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xaudit/model.h"
#include "xaudit_cmocka.h"

char vit_folder[] = "/tmp/xaudit-safetensors-XXXXXX", vit_path[VIT_PATH];

int vit_make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(vit_folder))
        return -1;
    snprintf(vit_path, sizeof vit_path, "%s/x.safetensors", vit_folder);
    return 0;
}

int vit_remove_folder(void **state)
{
    char config[160];
    (void)state;
    snprintf(config, sizeof config, "%s/config.json", vit_folder);
    unlink(config);
    unlink(vit_path);
    return rmdir(vit_folder);
}

void vit_put_file(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

void vit_put(const char *header, size_t data)
{
    const size_t n = strlen(header);
    unsigned char *bytes = calloc(8 + n + data, 1);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)n >> (8 * i));
    memcpy(bytes + 8, header, n);
    vit_put_file(vit_path, bytes, 8 + n + data);
    free(bytes);
}

void vit_refused(xa_status code, const char *words)
{
    const xa_model_options opt = xa_model_defaults();
    xa_err err = XA_ERR_INIT;
    xa_model *m = NULL;
    const xa_status st = xa_model_open(vit_path, &opt, &m, &err);
    if (st == XA_OK)
        fail_msg("opens, expected a refusal with \"%s\"", words);
    if (st != code || !strstr(err.message, words) || !strstr(err.message, vit_path))
        fail_msg("%s: %s, expected %s with \"%s\"",
                 xa_status_name(st),
                 err.message,
                 xa_status_name(code),
                 words);
    assert_null(m);
}

void vit_copy_golden(const char *name)
{
    char *bytes, from[256];
    size_t size;
    snprintf(from, sizeof from, GOLDEN "%s.safetensors", name);
    assert_int_equal(xa_read_file(from, 1 << 24, &bytes, &size, NULL), XA_OK);
    vit_put_file(vit_path, bytes, size);
    free(bytes);
}

void vit_edit_header(const char *from, const char *to)
{
    char *bytes;
    size_t size;
    assert_true(strlen(from) >= strlen(to));
    assert_int_equal(xa_read_file(vit_path, 1 << 24, &bytes, &size, NULL), XA_OK);
    char *at = memmem(bytes, size, from, strlen(from));
    assert_non_null(at);
    memset(at, ' ', strlen(from));
    memcpy(at, to, strlen(to));
    vit_put_file(vit_path, bytes, size);
    free(bytes);
}

void vit_put_config(const char *text)
{
    char config[160];
    snprintf(config, sizeof config, "%s/config.json", vit_folder);
    if (text)
        vit_put_file(config, text, strlen(text));
    else
        unlink(config);
}
