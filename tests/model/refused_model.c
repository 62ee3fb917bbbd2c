/* A model file that must be refused. */
#include "refused_model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "xaudit/model.h"
#include "xaudit_cmocka.h"

char refused_path[] = "/tmp/xaudit-refused-XXXXXX";
int refused_wrong;

int refused_make(void **state)
{
    (void)state;
    const int fd = mkstemp(refused_path);
    return fd < 0 || close(fd);
}

int refused_remove(void **state)
{
    (void)state;
    return unlink(refused_path);
}

static long peak_kilobytes(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

xa_status refused_open(xa_err *err)
{
    const xa_model_options opt = xa_model_defaults();
    xa_model *m = NULL;
    *err = (xa_err)XA_ERR_INIT;
    const double start = xa_cpu_time();
    const long before = peak_kilobytes();
    const xa_status st = xa_model_open(refused_path, &opt, &m, err);
    if (xa_cpu_time() - start > 10)
        fail_msg("%g s: %s", xa_cpu_time() - start, err->message);
    if (peak_kilobytes() - before > 512L << 10)
        fail_msg("%ld MB: %s", (peak_kilobytes() - before) >> 10, err->message);
    assert_true((st == XA_OK) == (m != NULL));
    xa_model_free(m);
    return st;
}

void refused(const char *what, xa_status want, const char *layer, const char *words)
{
    xa_err err;
    const xa_status st = refused_open(&err);
    if (st != XA_OK && want == st && strstr(err.message, words) &&
        strstr(err.message, refused_path) && strstr(err.message, layer))
        return;
    print_error("%s: %s \"%s\", expected %s naming \"%s\" with \"%s\"\n",
                what,
                xa_status_name(st),
                st == XA_OK ? "" : err.message,
                xa_status_name(want),
                layer,
                words);
    refused_wrong++;
}
