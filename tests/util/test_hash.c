/* Hashes: known answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xaudit/util.h"

/* FIPS 180-4 examples. */
static const struct {
    const char *text;
    const char *hex;
} known[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void test_sha256(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char hex[XA_SHA256_HEX];
        assert_int_equal(xa_sha256_bytes(known[i].text, strlen(known[i].text), hex, NULL), XA_OK);
        assert_string_equal(hex, known[i].hex);
    }
}

static void test_sha256_in_pieces(void **state)
{
    (void)state;
    xa_sha256 *h = NULL;
    char hex[XA_SHA256_HEX];
    assert_int_equal(xa_sha256_create(&h, NULL), XA_OK);
    for (int i = 0; i < 1000000; i += 10)
        xa_sha256_add(h, "aaaaaaaaaa", 10);
    xa_sha256_add(h, NULL, 0);
    xa_sha256_hex(h, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    xa_sha256_hex(h, hex);
    assert_string_equal(hex, ""); /* ended once */
    xa_sha256_free(h);
    xa_sha256_free(NULL);
}

static void test_xxh3(void **state)
{
    (void)state;
    /* From the reference implementation's sanity checks (XXH3_64bits of nothing). */
    assert_true(xa_hash64("", 0, 0) == UINT64_C(0x2D06800538D394C2));
    assert_true(xa_checksum("", 0) == 0x38D394C2u);
    assert_true(xa_hash64("a", 1, 0) != xa_hash64("a", 1, 1));
    assert_true(xa_checksum("abc", 3) == (uint32_t)xa_hash64("abc", 3, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_sha256_in_pieces),
        cmocka_unit_test(test_xxh3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
