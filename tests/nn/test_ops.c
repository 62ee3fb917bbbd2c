/* Every case of op_cases.h against every property an operator owes the engine. */
#include "test_ops.h"
#include "op_reference.h"
#include "xaudit_cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every operator has a formula and cases, but for the two without arithmetic of their own. */
static void test_list_is_complete(void **state)
{
    (void)state;
    for (int op = 0; op < XA_OP_COUNT; op++) {
        bool found = op == XA_OP_INPUT || op == XA_OP_RESHAPE;
        for (int i = 0; i < op_case_count(); i++)
            found = found || (int)op_case_at(i)->op == op;
        if (!found)
            fail_msg("operator \"%s\" has no case in the file of its family (op_cases.h)",
                     xa_op_name((xa_op)op));
        if (op != XA_OP_INPUT && !op_formula_of((xa_op)op))
            fail_msg("operator \"%s\" has no formula in the file of its family (op_cases.h)",
                     xa_op_name((xa_op)op));
    }
    for (int kind = 0; kind < XA_ACT_COUNT; kind++) {
        bool found = false;
        for (int i = 0; i < op_case_count(); i++)
            found = found || (op_case_at(i)->op == XA_OP_ACTIVATION &&
                              (int)op_case_at(i)->params.activation.kind == kind);
        if (!found)
            fail_msg("activation %d has no case in op_elementwise.c", kind);
    }
}

typedef struct named_test {
    const char *name;
    CMUnitTestFunction fn;
    unsigned flag; /* only for operators with it; 0: all */
} named_test;

int main(int argc, char **argv)
{
    static const named_test properties[] = {{"forward", op_test_forward, 0},
                                            {"gradient", op_test_gradient, 0},
                                            {"adjoint", op_test_adjoint, 0},
                                            {"rows", op_test_rows, 0},
                                            {"epilogue", op_test_epilogue, XA_OP_EPILOGUE},
                                            {"in place", op_test_in_place, XA_OP_IN_PLACE},
                                            {"nonfinite", op_test_nonfinite, 0},
                                            {"isas", op_test_isas, 0}};
    enum { PROPERTIES = sizeof(properties) / sizeof(properties[0]) };
    const size_t most = (size_t)op_case_count() * PROPERTIES + 1;
    struct CMUnitTest *tests = calloc(most, sizeof(*tests));
    char(*names)[96] = calloc(most, sizeof(*names));
    size_t n = 0;
    if (!tests || !names)
        return 1;
    tests[n++] =
        (struct CMUnitTest){.name = "list is complete", .test_func = test_list_is_complete};
    for (size_t p = 0; p < PROPERTIES; p++)
        for (int i = 0; i < op_case_count(); i++) {
            const op_case *c = op_case_at(i);
            if (properties[p].flag && !(xa_op_get(c->op)->flags & properties[p].flag))
                continue;
            if (argc > 1 && !strstr(c->name, argv[1]))
                continue;
            snprintf(names[n], sizeof(names[n]), "%s: %s", c->name, properties[p].name);
            tests[n] = (struct CMUnitTest){.name = names[n],
                                           .test_func = properties[p].fn,
                                           .initial_state = (void *)(uintptr_t)c};
            n++;
        }
    const int failed = _cmocka_run_group_tests("operators", tests, n, NULL, NULL);
    free(tests);
    free(names);
    return failed != 0;
}
