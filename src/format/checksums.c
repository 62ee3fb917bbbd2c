/* Checksums of rows: which field holds them, and how they are made. */
#include <string.h>

#include "xaudit/format.h"

xa_field_kind xa_field_checksum(xa_field_kind kind)
{
    switch (kind) {
    case XA_FIELD_RUN_SECONDS: /* outside every equality claim */
        return XA_FIELD_KINDS;
    case XA_FIELD_SAMPLE_THUMBNAIL:
    case XA_FIELD_SAMPLE_THUMBNAIL_SIZE:
        return XA_FIELD_SUM_THUMBNAILS;
    case XA_FIELD_MODEL_LOGITS:
        return XA_FIELD_SUM_LOGITS;
    case XA_FIELD_MAP_SCORE:
        return XA_FIELD_SUM_MAPS;
    case XA_FIELD_LOCALISATION:
        return XA_FIELD_SUM_LOCALISATION;
    case XA_FIELD_STATISTIC_HITS:
    case XA_FIELD_STATISTIC_PIXELS:
        return XA_FIELD_SUM_STATISTICS;
    case XA_FIELD_BASELINE:
        return XA_FIELD_SUM_BASELINES;
    case XA_FIELD_BASELINE_HITS:
    case XA_FIELD_BASELINE_PIXELS:
        return XA_FIELD_SUM_BASELINE_STATISTICS;
    case XA_FIELD_CHECK_STATUS:
    case XA_FIELD_CHECK_FIGURES:
    case XA_FIELD_CHECK_SCORES:
    case XA_FIELD_CHECK_PROBS:
        return XA_FIELD_SUM_CHECKS;
    case XA_FIELD_AGREEMENT:
        return XA_FIELD_SUM_PAIRS;
    default:
        break;
    }
    switch (xa_field_owner(kind)) {
    case XA_OWNER_SAMPLE:
        return XA_FIELD_SUM_SAMPLES;
    case XA_OWNER_MODEL:
        return XA_FIELD_SUM_MODEL;
    case XA_OWNER_MAP:
        return XA_FIELD_SUM_MAPS;
    default: /* tables have a checksum as a whole, map values one of their own */
        return XA_FIELD_KINDS;
    }
}

bool xa_checksum_path(const char *path, xa_type type, char *out, size_t size)
{
    xa_field_kind kind;
    xa_field_names n;
    if (!xa_field_match(path, type, &kind, &n))
        return false;
    const xa_field_kind sums = xa_field_checksum(kind);
    if (sums == XA_FIELD_KINDS)
        return false;
    const xa_path at = xa_field_name(sums, n.model, n.explainer, n.key);
    const size_t bytes = strlen(at.text) + 1;
    if (bytes > size)
        return false;
    memcpy(out, at.text, bytes);
    return true;
}

uint64_t xa_checksum_seed(const char *path)
{
    return xa_hash64(path, strlen(path), 0);
}

void xa_checksum_rows(uint64_t seed, const void *rows, int64_t n, size_t row_bytes, uint32_t *sums)
{
    const unsigned char *row = rows;
    for (int64_t i = 0; i < n; i++, row += row_bytes)
        sums[i] += (uint32_t)(xa_hash64(row, row_bytes, seed) & 0xffffffffu);
}

void xa_checksum_table(
    uint64_t seed, const void *rows, int64_t first, int64_t n, size_t row_bytes, uint32_t *sum)
{
    const unsigned char *row = rows;
    for (int64_t i = 0; i < n; i++, row += row_bytes)
        xa_checksum_rows(seed + (uint64_t)(first + i), row, 1, row_bytes, sum);
}

bool xa_is_table(xa_field_kind kind)
{
    return xa_field_owner(kind) == XA_OWNER_TABLE;
}
