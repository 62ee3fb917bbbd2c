/* HDF5's error stack as one line, its printing off, and closing what is open. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive_internal.h"

void xa__quiet_begin(xa__quiet *q)
{
    q->print = NULL;
    q->arg = NULL;
    (void)H5Eget_auto2(H5E_DEFAULT, &q->print, &q->arg);
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void xa__quiet_end(const xa__quiet *q)
{
    (void)H5Eset_auto2(H5E_DEFAULT, q->print, q->arg);
}

typedef struct reason {
    char text[320];
    int cause; /* errno, 0 unknown */
} reason;

/* Called for each entry of the stack, the innermost first. */
static herr_t look(unsigned n, const H5E_error2_t *entry, void *arg)
{
    reason *r = arg;
    const char *text = entry->desc ? entry->desc : "";
    if (n == 0)
        snprintf(r->text, sizeof r->text, "%s", text);
    const char *number = strstr(text, "errno = ");
    if (r->cause == 0 && number)
        r->cause = (int)strtol(number + strlen("errno = "), NULL, 10);
    return 0;
}

xa_status xa__errno_status(int cause)
{
    switch (cause) {
    case ENOSPC:
    case EDQUOT:
        return XA_NOSPACE;
    case ENOMEM:
        return XA_NOMEM;
    case ENOENT:
    case ENOTDIR:
        return XA_NOT_FOUND;
    default:
        return XA_IO;
    }
}

xa_status xa__h5_fail(
    xa_err *err, xa_status code, const char *file, const char *func, int line, const char *fmt, ...)
{
    reason r = {.text = "", .cause = 0};
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, look, &r);
    if ((code == XA_IO || code == XA_FORMAT) && r.cause != 0)
        code = xa__errno_status(r.cause);
    char text[XA_ERR_MESSAGE];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0)
        text[0] = '\0';
    /* A system's error says it better than HDF5's words around it. */
    const char *why = r.cause != 0 ? strerror(r.cause) : r.text;
    if (why[0] == '\0')
        why = "HDF5 gives no reason";
    return xa_err_set(err, code, file, func, line, "%s: %s", text, why);
}

void xa__close_type(hid_t *id)
{
    if (*id >= 0)
        (void)H5Tclose(*id);
    *id = -1;
}

void xa__close_space(hid_t *id)
{
    if (*id >= 0)
        (void)H5Sclose(*id);
    *id = -1;
}

void xa__close_dataset(hid_t *id)
{
    if (*id >= 0)
        (void)H5Dclose(*id);
    *id = -1;
}

void xa__close_attribute(hid_t *id)
{
    if (*id >= 0)
        (void)H5Aclose(*id);
    *id = -1;
}

void xa__close_object(hid_t *id)
{
    if (*id >= 0)
        (void)H5Oclose(*id);
    *id = -1;
}

void xa__close_plist(hid_t *id)
{
    if (*id >= 0)
        (void)H5Pclose(*id);
    *id = -1;
}
