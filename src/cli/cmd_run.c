/* xaudit run */
#include "commands.h"

int xa_cmd_run(const xa_args *a)
{
    xa_err err = XA_ERR_INIT;
    xa_run_options o;
    if (xa__run_options_from(a, &o, &err) != XA_OK) {
        xa_print_error(&err);
        return XA_EXIT_FAILED;
    }
    const int code = xa_run_job(&o);
    xa__run_options_fini(&o);
    return code;
}
