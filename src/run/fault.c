#include "fault.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

xa_status xa__fault_read(xa__fault *f, xa_err *err)
{
    const char *text = getenv("XAUDIT_FAULT");
    int64_t rank = -1;
    *f = (xa__fault){.times = 1, .rank = -1};
    if (!text || !*text)
        return XA_OK;
    char copy[64];
    snprintf(copy, sizeof copy, "%s", text);
    char *mode = strchr(copy, ','), *at = strchr(copy, '@'), *colon;
    if (mode)
        *mode++ = '\0';
    if (at)
        *at++ = '\0';
    colon = strchr(copy, ':');
    if (colon)
        *colon++ = '\0';
    if (strlen(text) >= sizeof copy || strlen(copy) >= sizeof f->point ||
        (at && !xa_parse_i64(at, &rank)) || (colon && !xa_parse_i64(colon, &f->times)) ||
        (mode && strcmp(mode, "stop") != 0))
        XA_RETURN_FAIL(err, XA_INVALID, "XAUDIT_FAULT=%s: expected POINT[:N][@RANK][,stop]", text);
    snprintf(f->point, sizeof f->point, "%s", copy);
    f->rank = (int)rank;
    f->stop = mode != NULL;
    return XA_OK;
}

void xa__fault_at(xa__fault *f, int rank, const char *point)
{
    if (!*f->point || strcmp(point, f->point) != 0 || (f->rank >= 0 && f->rank != rank))
        return;
    if (--f->times > 0)
        return;
    *f->point = '\0'; /* once */
    (void)raise(f->stop ? SIGSTOP : SIGKILL);
}
