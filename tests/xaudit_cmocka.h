/* cmocka with the headers it wants before it. */
#ifndef XAUDIT_TEST_CMOCKA_H
#define XAUDIT_TEST_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
