/* Arithmetic on samples as image files store them, without any library of a file format. */
#include "image_internal.h"

#include <string.h>

void xa__samples_unpack(const uint8_t *src, int64_t count, int bits, void *dst)
{
    uint8_t *d8 = dst;
    uint16_t *d16 = dst;
    const uint32_t mask = (1u << bits) - 1;
    uint32_t window = 0;
    int have = 0;
    for (int64_t i = 0; i < count; i++) {
        while (have < bits) {
            window = window << 8 | *src++;
            have += 8;
        }
        have -= bits;
        const uint32_t v = window >> have & mask;
        if (bits <= 8)
            d8[i] = (uint8_t)v;
        else
            d16[i] = (uint16_t)v;
    }
}

void xa__samples_widen(uint8_t *v, size_t count, int bits)
{
    const unsigned most = (1u << bits) - 1;
    uint8_t table[256];
    for (unsigned i = 0; i < 256; i++)
        table[i] = (uint8_t)(((i > most ? most : i) * 255u + most / 2) / most);
    for (size_t i = 0; i < count; i++)
        v[i] = table[v[i]];
}

/* (a*b)/255 rounded, as Pillow's MULDIV255. */
static unsigned mul255(unsigned a, unsigned b)
{
    const unsigned t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

xa_status
xa__samples_cmyk_to_rgb(const void *src, void *dst, int64_t pixels, int stride, xa_pixel type)
{
    const int extra = stride - 4;
    if (type == XA_PIXEL_U8) {
        const uint8_t *s = src;
        uint8_t *d = dst;
        for (int64_t i = 0; i < pixels; i++, s += stride) {
            const unsigned light = 255u - s[3];
            for (int c = 0; c < 3; c++)
                *d++ = (uint8_t)(light - mul255(s[c], light));
            for (int c = 0; c < extra; c++)
                *d++ = s[4 + c];
        }
        return XA_OK;
    }
    if (type == XA_PIXEL_U16) {
        const uint16_t *s = src;
        uint16_t *d = dst;
        for (int64_t i = 0; i < pixels; i++, s += stride) {
            const uint64_t light = 65535u - s[3];
            for (int c = 0; c < 3; c++)
                *d++ = (uint16_t)(light - (s[c] * light + 32767) / 65535);
            for (int c = 0; c < extra; c++)
                *d++ = s[4 + c];
        }
        return XA_OK;
    }
    return XA_UNSUPPORTED;
}

void xa__samples_palette(const void *src,
                         uint8_t *dst,
                         int64_t pixels,
                         int stride,
                         xa_pixel type,
                         const uint16_t *const map[3],
                         int bits)
{
    const size_t entries = (size_t)1 << bits;
    const uint8_t *s8 = src;
    const uint16_t *s16 = src;
    int shift = 0;
    for (size_t i = 0; i < entries; i++)
        if (map[0][i] > 255 || map[1][i] > 255 || map[2][i] > 255)
            shift = 8;
    for (int64_t i = 0; i < pixels * stride; i += stride) {
        const size_t v = (type == XA_PIXEL_U8 ? s8[i] : s16[i]) & (entries - 1);
        for (int c = 0; c < 3; c++)
            *dst++ = (uint8_t)(map[c][v] >> shift);
        for (int c = 1; c < stride; c++)
            *dst++ = (uint8_t)(type == XA_PIXEL_U8 ? s8[i + c] : s16[i + c] >> 8);
    }
}

#define INVERT(T, expression)                             \
    do {                                                  \
        T *p = data;                                      \
        for (int64_t i = 0; i < pixels; i++, p += stride) \
            for (int c = 0; c < colours; c++) {           \
                const T v = p[c];                         \
                p[c] = (T)(expression);                   \
            }                                             \
    } while (0)

void xa__samples_invert(
    void *data, int64_t pixels, int stride, int colours, xa_pixel type, int bits)
{
    const uint32_t most = bits >= 32 ? UINT32_MAX : (UINT32_C(1) << bits) - 1;
    switch (type) {
    case XA_PIXEL_U8:
        INVERT(uint8_t, 255 - v); /* samples of fewer bits were scaled to 0..255 before */
        break;
    case XA_PIXEL_U16:
        INVERT(uint16_t, v > most ? 0 : most - v);
        break;
    case XA_PIXEL_U32:
        INVERT(uint32_t, v > most ? 0 : most - v);
        break;
    case XA_PIXEL_I8:
        INVERT(int8_t, ~v);
        break;
    case XA_PIXEL_I16:
        INVERT(int16_t, ~v);
        break;
    case XA_PIXEL_I32:
        INVERT(int32_t, ~v);
        break;
    case XA_PIXEL_F32:
        INVERT(float, -v);
        break;
    case XA_PIXEL_F64:
        INVERT(double, -v);
        break;
    default:
        break;
    }
}

/* As Pillow's RGBa to RGBA of 8 bits: the quotient is truncated, and alpha 0 leaves the colour
 * unchanged. */
#define UNPREMULTIPLY(T, most)                                  \
    do {                                                        \
        T *p = data;                                            \
        for (int64_t i = 0; i < pixels; i++, p += stride) {     \
            const uint64_t a = p[stride - 1];                   \
            for (int c = 0; a != 0 && c < stride - 1; c++) {    \
                const uint64_t v = (most) * (uint64_t)p[c] / a; \
                p[c] = (T)(v > (most) ? (most) : v);            \
            }                                                   \
        }                                                       \
    } while (0)
#define UNPREMULTIPLY_REAL(T)                                          \
    do {                                                               \
        T *p = data;                                                   \
        for (int64_t i = 0; i < pixels; i++, p += stride)              \
            for (int c = 0; p[stride - 1] != 0 && c < stride - 1; c++) \
                p[c] /= p[stride - 1];                                 \
    } while (0)

void xa__samples_unpremultiply(void *data, int64_t pixels, int stride, xa_pixel type, int bits)
{
    const uint64_t most = bits >= 32 ? UINT32_MAX : (UINT64_C(1) << bits) - 1;
    switch (type) {
    case XA_PIXEL_U8:
        UNPREMULTIPLY(uint8_t, UINT64_C(255));
        break;
    case XA_PIXEL_U16:
        UNPREMULTIPLY(uint16_t, most);
        break;
    case XA_PIXEL_U32:
        UNPREMULTIPLY(uint32_t, most);
        break;
    case XA_PIXEL_F32:
        UNPREMULTIPLY_REAL(float);
        break;
    case XA_PIXEL_F64:
        UNPREMULTIPLY_REAL(double);
        break;
    default: /* for signed samples no value means opaque */
        break;
    }
}
