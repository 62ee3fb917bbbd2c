/* The rows of identity/settings.txt, a folder that they are tried in, and identities of its jobs.
 */
#ifndef XAUDIT_TESTS_IDENTITY_ROWS_H
#define XAUDIT_TESTS_IDENTITY_ROWS_H

#include "xaudit/job.h"

enum { PASS = 1, MAPS = 2, SCORES = 4, OTHER = 8, ROWS = 512, SETS = 4 };

typedef struct row {
    char *line; /* its own memory; the texts are parts of it */
    int number; /* of the line */
    char *job, *setting, *set[SETS];
    unsigned parts;
    int nset;
} row;
extern row rows[ROWS];
extern int nrows;

/* Set up and torn down once for all tests: the working folder is one like the table's own. */
int read_table(void **state);
int free_table(void **state);
bool has_row(const char *setting);
/* The identity's lines of a job of that folder with some settings replaced; to be freed. `number`:
 * of the line in the table, for messages. */
char *identity(const char *file, const char *const *set, int nset, int number);

#endif
