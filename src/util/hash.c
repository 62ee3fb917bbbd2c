/* Hashes: SHA-256 for identities, XXH3 for tables and row checksums. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <xxhash.h>

#include "xaudit/util.h"

struct xa_sha256 {
    EVP_MD_CTX *ctx;
    bool failed;
};

xa_status xa_sha256_create(xa_sha256 **out, xa_err *err)
{
    xa_status st = XA_OK;
    xa_sha256 *h = xa_alloc(1, sizeof *h);
    if (!h || !(h->ctx = EVP_MD_CTX_new()))
        XA_FAIL(err, XA_NOMEM, "out of memory for a hash");
    if (EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1)
        XA_FAIL(err, XA_UNSUPPORTED, "the crypto library offers no SHA-256");
    *out = h;
    h = NULL;
done:
    xa_sha256_free(h);
    return st;
}

void xa_sha256_add(xa_sha256 *h, const void *bytes, size_t size)
{
    if (size > 0 && EVP_DigestUpdate(h->ctx, bytes, size) != 1)
        h->failed = true;
}

void xa_sha256_hex(xa_sha256 *h, char hex[XA_SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    hex[0] = '\0';
    if (h->failed || EVP_DigestFinal_ex(h->ctx, digest, &n) != 1 || n != 32) {
        h->failed = true;
        return;
    }
    for (unsigned int i = 0; i < n; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[XA_SHA256_HEX - 1] = '\0';
    h->failed = true; /* the hash is ended; ending it again gives "" */
}

void xa_sha256_free(xa_sha256 *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

xa_status xa_sha256_bytes(const void *bytes, size_t size, char hex[XA_SHA256_HEX], xa_err *err)
{
    xa_status st = XA_OK;
    xa_sha256 *h = NULL;
    XA_TRY(err, xa_sha256_create(&h, err));
    xa_sha256_add(h, bytes, size);
    xa_sha256_hex(h, hex);
    if (hex[0] == '\0')
        XA_FAIL(err, XA_IO, "the crypto library failed to hash %zu bytes", size);
done:
    xa_sha256_free(h);
    return st;
}

uint64_t xa_hash64(const void *bytes, size_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, size, seed);
}

uint32_t xa_checksum(const void *bytes, size_t size)
{
    return (uint32_t)(XXH3_64bits(bytes, size) & 0xffffffffu);
}
