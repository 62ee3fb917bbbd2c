/* util: what every other module uses.
 *
 * Status codes with an error trail, checked sizes, strings, paths, hashes, a counter-based random
 * generator, half floats, time. Nothing here prints, exits, or keeps state other than the log sink.
 *
 * Conventions of the whole program: int64_t for extents and indices, size_t for bytes; functions
 * that can fail return xa_status and take a caller-owned `xa_err *err` last (NULL allowed);
 * out-parameters are written on success only; `free` functions accept NULL.
 */
#ifndef XAUDIT_UTIL_H
#define XAUDIT_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The release: "0.2.0". */
const char *xa_tool_version(void);

/* ---- status and error trail ------------------------------------------------------------------ */

/* X(name, text). One list drives enum, names and texts. */
#define XA_STATUS_LIST(X)                    \
    X(OK, "ok")                              \
    X(NOMEM, "out of memory")                \
    X(IO, "input/output error")              \
    X(NOT_FOUND, "not found")                \
    X(FORMAT, "malformed data")              \
    X(UNSUPPORTED, "not supported")          \
    X(INVALID, "invalid setting")            \
    X(SHAPE, "shapes do not match")          \
    X(LIMIT, "a limit is exceeded")          \
    X(NOSPACE, "no space left")              \
    X(MISMATCH, "does not match")            \
    X(BUSY, "in use by another run")         \
    X(COMM, "communication error")           \
    X(INTERRUPTED, "interrupted, resumable") \
    X(DAMAGED, "damaged")

typedef enum xa_status {
#define X(name, text) XA_##name,
    XA_STATUS_LIST(X)
#undef X
        XA_STATUS_COUNT
} xa_status;

const char *xa_status_name(xa_status st); /* "IO" */
const char *xa_status_text(xa_status st); /* "input/output error" */

enum { XA_ERR_MESSAGE = 1024, XA_ERR_TRAIL = 12 };

typedef struct xa_err_frame {
    const char *file; /* static storage */
    const char *func;
    int line;
} xa_err_frame;

/* The first failure's code and message, and the places it passed on its way up. Zero-initialise. */
typedef struct xa_err {
    xa_status code;
    char message[XA_ERR_MESSAGE];
    int nframes;
    xa_err_frame frame[XA_ERR_TRAIL];
} xa_err;

#define XA_ERR_INIT   \
    {                 \
        .code = XA_OK \
    }

/* Records a failure, which replaces an older one, and returns `code`. err may be NULL. The message
 * becomes one sanitised line, so that names from outside may be used as they are. */
xa_status xa_err_set(
    xa_err *err, xa_status code, const char *file, const char *func, int line, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* Adds a place to the trail and returns `code`. */
xa_status xa_err_pass(xa_err *err, xa_status code, const char *file, const char *func, int line);
/* Puts "prefix: " before the message: what only a caller knows, such as a file or a layer. */
void xa_err_prefix(xa_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The trail as text, one place per line, for logs at debug level. */
void xa_err_trail(const xa_err *err, char *out, size_t size);

#define XA_MUST_USE __attribute__((warn_unused_result))

/* Records a failure at this place; as an expression it has the code's value. */
#define XA_ERR(err, code, ...) xa_err_set((err), (code), __FILE__, __func__, __LINE__, __VA_ARGS__)
#define XA_NOMEM_ERR(err) XA_ERR((err), XA_NOMEM, "out of memory")
/* Adds this place to the trail of a failure that a callee recorded. */
#define XA_ERR_PASS(err, code) xa_err_pass((err), (code), __FILE__, __func__, __LINE__)

/* Both need a local `xa_status st` and a label `done:`. st becomes the code itself, not what a
 * function returned, so that a static analyser sees that it is a failure. */
#define XA_FAIL(err, code, ...)                                              \
    do {                                                                     \
        const xa_status code_ = (code);                                      \
        xa_err_set((err), code_, __FILE__, __func__, __LINE__, __VA_ARGS__); \
        st = code_;                                                          \
        goto done;                                                           \
    } while (0)
#define XA_TRY(err, call)                                         \
    do {                                                          \
        st = (call);                                              \
        if (st != XA_OK) {                                        \
            xa_err_pass((err), st, __FILE__, __func__, __LINE__); \
            goto done;                                            \
        }                                                         \
    } while (0)
/* The same without cleanup: return at once. */
#define XA_RETURN_FAIL(err, code, ...)                                       \
    do {                                                                     \
        const xa_status code_ = (code);                                      \
        xa_err_set((err), code_, __FILE__, __func__, __LINE__, __VA_ARGS__); \
        return code_;                                                        \
    } while (0)
#define XA_RETURN_TRY(err, call)                                   \
    do {                                                           \
        const xa_status st_ = (call);                              \
        if (st_ != XA_OK) {                                        \
            xa_err_pass((err), st_, __FILE__, __func__, __LINE__); \
            return st_;                                            \
        }                                                          \
    } while (0)

#define XA_NOMEM_FAIL(err) XA_FAIL((err), XA_NOMEM, "out of memory")
#define XA_RETURN_NOMEM(err) XA_RETURN_FAIL((err), XA_NOMEM, "out of memory")

/* ---- log: the one piece of global state ------------------------------------------------------ */

typedef enum xa_log_level { XA_LOG_ERROR, XA_LOG_WARN, XA_LOG_INFO, XA_LOG_DEBUG } xa_log_level;
typedef void xa_log_fn(void *arg, xa_log_level level, const char *message);

/* main sets the sink once. Without one, messages are dropped. Each message is one sanitised line.
 */
void xa_log_sink(xa_log_fn *fn, void *arg);
void xa_log(xa_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- sizes and memory ------------------------------------------------------------------------ */

/* a*b and a+b, false on overflow. */
bool xa_size_mul(size_t a, size_t b, size_t *out);
bool xa_size_add(size_t a, size_t b, size_t *out);
bool xa_i64_mul(int64_t a, int64_t b, int64_t *out);
/* Rounds up to a multiple of `to` (a power of two). */
static inline size_t xa_align_up(size_t n, size_t to)
{
    return (n + to - 1) & ~(to - 1);
}
enum { XA_ALIGN = 64 };

/* Zeroed memory for `count` items; NULL on overflow or exhaustion. Release with free(). */
void *xa_alloc(size_t count, size_t item);
/* Grows an array of *cap items to at least `need` items. array_ptr is the address of the pointer to
 * it, which is NULL while *cap is 0. New items are not zeroed. */
XA_MUST_USE xa_status xa_grow(void *array_ptr, size_t *cap, size_t need, size_t item, xa_err *err);
/* 64-byte aligned, not zeroed; release with free(). */
void *xa_alloc_aligned(size_t bytes);
/* Frees n texts and their list; NULL allowed, for a text too. */
void xa_free_texts(char **texts, int64_t n);

/* ---- strings --------------------------------------------------------------------------------- */

/* A growing byte string, zero-initialised; data is NUL-terminated once something was added. */
typedef struct xa_str {
    char *data;
    size_t len, cap;
    bool failed; /* an allocation failed, and the contents are truncated: check it once, at the end
                  */
} xa_str;
void xa_str_add(xa_str *s, const char *bytes, size_t len);
void xa_str_puts(xa_str *s, const char *text);
/* Adds a word of a shell command, in quotes if it needs them. */
void xa_str_word(xa_str *s, const char *text);
void xa_str_printf(xa_str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void xa_str_vprintf(xa_str *s, const char *fmt, va_list ap);
void xa_str_free(xa_str *s);

char *xa_strdup(const char *text); /* NULL if text is NULL or memory is out; caller frees */
char *xa_strndup(const char *text, size_t len);
char *xa_strfmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool xa_str_ends(const char *text, const char *suffix);
/* The whole string as a number, in any locale with "." as decimal point; false if it is empty, too
 * large, or anything else, spaces, hexadecimal, inf and nan included. */
bool xa_parse_i64(const char *text, int64_t *out);
bool xa_parse_f64(const char *text, double *out);
/* Copies text for messages and terminals: control and bidirectional characters and invalid UTF-8
 * become '?', and it is cut between characters to size - 1 bytes. text may be NULL and must not
 * overlap dst. */
void xa_str_sanitise(const char *text, char *dst, size_t size);
/* Appends text to a page of HTML or XML: & < > " ' become entities. What such a page cannot hold
 * or what would reorder the text around it becomes '?', as in xa_str_sanitise; tabs and line feeds
 * stay. text may be NULL. */
void xa_str_markup(xa_str *s, const char *text);
/* Appends text as valid UTF-8: each byte that is not becomes '?'. text may be NULL. */
void xa_str_utf8(xa_str *s, const char *text);
/* Whether the bytes are valid UTF-8 (NUL counts as a character). */
bool xa_str_is_utf8(const char *bytes, size_t len);
/* How many columns of a terminal the text takes: none for a combining mark, two for an East Asian
 * wide character or an emoji, else one; one for a byte that is not UTF-8. */
int64_t xa_str_columns(const char *text);
/* Copies what fits into that many columns and fills them with spaces. dst is cut as by
 * xa_str_sanitise: 4 * columns + 1 bytes hold any text without combining marks. */
void xa_str_pad(const char *text, int64_t columns, char *dst, size_t size);
/* For "did you mean": the one of n names that is nearest to `text` by edit distance, whatever the
 * case of letters; NULL if none is near. */
const char *xa_nearest(const char *text, const char *const *names, size_t n);

/* The place of `text` among n words, -1 if it is none of them. */
int xa_word_index(const char *text, const char *const *words, int n);
/* Is `word` one of `words`, which are apart by single spaces? An empty word is none. */
bool xa_words_have(const char *words, const char *word);
/* Frees n texts and their list; NULL is no list. */
void xa_texts_free(char **texts, int64_t n);

/* A growing list of texts that it owns. Zero-initialise; xa_names_free leaves it so. */
typedef struct xa_names {
    char **item;
    size_t count, cap;
} xa_names;
/* Adds a copy of the text, which ends at a NUL or after `len` bytes. */
XA_MUST_USE xa_status xa_names_add(xa_names *n, const char *text, size_t len, xa_err *err);
void xa_names_free(xa_names *n);

/* What follows the last '/' of a path; the whole path where it has none. Borrowed from it. */
const char *xa_path_last(const char *path);
/* The folder that a path names its file in: "." where it names none, "/" for the root's. Caller
 * frees; NULL when memory is out. */
char *xa_path_folder(const char *path);
/* Joins a path to the folder of `base_file` unless it is absolute. Caller frees. */
char *xa_path_beside(const char *base_file, const char *path);
/* Removes "a/../", "./" and "//" from a path, in place. "a/.." stays if a is a symbolic link or
 * does not exist: to the system it is then another folder, or none. */
void xa_path_tidy(char *path);
/* Opens a regular file for reading; the caller closes *fd. size: its bytes; may be NULL. NOT_FOUND
 * if it does not exist; IO for folders, pipes (without waiting for a writer), devices, and for any
 * other error. */
XA_MUST_USE xa_status xa_open_regular(const char *path, int *fd, int64_t *size, xa_err *err);
/* Reads until `size` bytes are read or the file ends, also when signals interrupt it; *got: how
 * many. */
XA_MUST_USE xa_status
xa_read_fd(int fd, const char *path, void *to, size_t size, size_t *got, xa_err *err);
/* Reads a whole regular file of at most `limit` bytes; data is NUL-terminated. Caller frees.
 * NOT_FOUND if it does not exist, IO for folders, pipes and read errors, LIMIT beyond the limit. */
XA_MUST_USE xa_status
xa_read_file(const char *path, size_t limit, char **data, size_t *size, xa_err *err);

/* ---- hashes ---------------------------------------------------------------------------------- */

enum { XA_SHA256_HEX = 65 };
typedef struct xa_sha256 xa_sha256;
XA_MUST_USE xa_status xa_sha256_create(xa_sha256 **out, xa_err *err);
void xa_sha256_add(xa_sha256 *h, const void *bytes, size_t size);
/* Ends the hash. hex becomes "" if the crypto library failed or the hash was ended before. */
void xa_sha256_hex(xa_sha256 *h, char hex[XA_SHA256_HEX]);
void xa_sha256_free(xa_sha256 *h);
XA_MUST_USE xa_status xa_sha256_file(const char *path, char hex[XA_SHA256_HEX], xa_err *err);
XA_MUST_USE xa_status xa_sha256_bytes(const void *bytes,
                                      size_t size,
                                      char hex[XA_SHA256_HEX],
                                      xa_err *err);
/* XXH3 64 bit. */
uint64_t xa_hash64(const void *bytes, size_t size, uint64_t seed);
/* The low 32 bits of XXH3: row checksums. */
uint32_t xa_checksum(const void *bytes, size_t size);

/* ---- counter-based random numbers ------------------------------------------------------------ */

/* Philox-4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011): the value
 * at (seed, stream, counter), without state. The key is the seed; the counter's words are counter
 * (low, high) and stream (low, high). */
void xa_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]);
double xa_random_unit(uint64_t seed, uint64_t stream, uint64_t counter); /* [0,1), 53 bits */
int64_t xa_random_below(uint64_t seed, uint64_t stream, uint64_t counter, int64_t n); /* [0,n) */

/* What is drawn for an image or a model has one seed, and a stream for each purpose and draw: equal
 * for every batch, rank and order of work, and easily made again in another language. */
#define XA_PURPOSE_LIST(X)                                                                       \
    X(SMOOTH, 1)   /* noise of SmoothGrad */                                                     \
    X(EXPECTED, 2) /* expected gradients: counter 0 the reference, 1 the point of the path */    \
    X(BASELINE, 3) /* the baseline `uniform` */                                                  \
    X(RISE, 4)     /* masks: counters 0.. the cells, 1000 and 1001 the offset down and across */ \
    X(SUBSETS, 5)  /* subsets of pixels */                                                       \
    X(SENSITIVITY, 6)                                                                            \
    X(ROAD, 7)                                                                                   \
    X(WEIGHTS, 8)                                                                                \
    X(INFIDELITY, 9)                                                                             \
    X(RANDOM_MAP, 10) /* draw 0 a random map, 1 how a map is shuffled */                         \
    X(TIES, 11)                                                                                  \
    X(SAMPLES, 12) /* which samples are checked: counter the hash of the id */
typedef enum xa_purpose {
#define X(name, number) XA_PURPOSE_##name = number,
    XA_PURPOSE_LIST(X)
#undef X
} xa_purpose;
/* hash ^ seed * 0x9E3779B97F4A7C15: of an image with this pixel hash, in a job with this seed. */
uint64_t xa_random_seed(uint64_t hash, uint64_t seed);
uint64_t xa_random_stream(xa_purpose purpose, uint32_t draw); /* purpose << 32 | draw */
/* Standard normal values [n], made in double by Box and Muller's method: values 2j and 2j + 1 come
 * of the block at counter j, with u1 = 1 - unit(words 0, 1) and u2 = unit(words 2, 3), as
 * sqrt(-2 ln u1) times the cosine and the sine of 2 pi u2. */
void xa_random_normal(uint64_t seed, uint64_t stream, int64_t n, float *out);
/* A permutation of 0..n-1, n < 2^31 (Fisher and Yates, from the end): j changes places with
 * xa_random_below(seed, stream, j, j + 1). */
void xa_random_shuffle(uint64_t seed, uint64_t stream, int64_t n, int32_t *out);

/* ---- half floats and time -------------------------------------------------------------------- */

uint16_t xa_f16_from_f32(float x); /* round to nearest even; overflow to infinity; NaN stays NaN */
float xa_f32_from_f16(uint16_t h);
double xa_time(void);     /* seconds, monotonic */
double xa_cpu_time(void); /* seconds of this process */
/* The present time as "2026-01-31T12:00:00Z". */
void xa_time_iso(char out[24]);

#endif
