/* What whoever wrote an ONNX file noted in it, without reading its graph. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parse.h"

/* The value of an entry of that key; NULL: it has another key. */
static const char *value_of(const xa__wire *entry, const char *key, size_t *len)
{
    const char *value = NULL;
    bool same = false;
    xa__wire w = *entry;
    xa__field f;
    while (xa__wire_next(&w, &f)) {
        if (f.kind != XA__WIRE_BYTES)
            continue;
        if (f.number == 1)
            same = f.len == strlen(key) && !memcmp(w.base + f.at, key, f.len);
        if (f.number == 2) {
            value = (const char *)w.base + f.at;
            *len = f.len;
        }
    }
    return same && !w.bad ? value : NULL;
}

xa_status xa__onnx_metadata(const char *path, const char *key, char **out, xa_err *err)
{
    enum { MOST = 16 << 20, METADATA = 14 };
    xa_status st = XA_OK;
    int fd = -1;
    int64_t size = 0;
    void *map = MAP_FAILED;
    *out = NULL;
    XA_TRY(err, xa_open_regular(path, &fd, &size, err));
    if (size == 0)
        goto done;
    map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        XA_FAIL(err, XA_IO, "%s: the file cannot be mapped into memory", path);
    xa__wire w = xa__wire_whole(map, (size_t)size);
    xa__field f;
    while (!*out && xa__wire_next(&w, &f)) {
        size_t len = 0;
        const xa__wire entry = xa__wire_inside(&w, &f);
        const char *value = f.number == METADATA ? value_of(&entry, key, &len) : NULL;
        if (!value)
            continue;
        if (len > MOST || memchr(value, '\0', len))
            XA_FAIL(err, XA_FORMAT, "%s: its metadata \"%s\" is no text that is read", path, key);
        if (!(*out = xa_strndup(value, len)))
            XA_NOMEM_FAIL(err);
    }
done:
    if (map != MAP_FAILED)
        munmap(map, (size_t)size);
    if (fd >= 0)
        close(fd);
    return st;
}
