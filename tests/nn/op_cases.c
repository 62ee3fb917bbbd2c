#include "op_cases.h"

#include <math.h>

/* clang-format off */
#define S1(a)          {.ndim = 1, .dim = {a}}
#define S2(a, b)       {.ndim = 2, .dim = {a, b}}
#define S3(a, b, c)    {.ndim = 3, .dim = {a, b, c}}
#define S4(a, b, c, d) {.ndim = 4, .dim = {a, b, c, d}}
#define S5(a, b, c, d, e) {.ndim = 5, .dim = {a, b, c, d, e}}
#define WINDOW(KH, KW, SH, SW, DH, DW, P) {KH, KW, SH, SW, DH, DW, XA_##P}

#define CONV(label, H, W, C, KH, KW, SH, SW, DH, DW, P, F, G)                                     \
    {.name = "conv2d " label, .op = XA_OP_CONV2D, .ninputs = 1, .inputs = {S3(H, W, C)},          \
     .nweights = 2, .weights = {S4(KH, KW, (C) / (G), F), S1(F)},                                 \
     .params.conv2d = {WINDOW(KH, KW, SH, SW, DH, DW, P), F, G}}
#define CONV_NO_BIAS(label, H, W, C, KH, KW, SH, SW, DH, DW, P, F, G)                             \
    {.name = "conv2d " label, .op = XA_OP_CONV2D, .ninputs = 1, .inputs = {S3(H, W, C)},          \
     .nweights = 1, .weights = {S4(KH, KW, (C) / (G), F)},                                        \
     .params.conv2d = {WINDOW(KH, KW, SH, SW, DH, DW, P), F, G}}
/* By Winograd's filtering, whose errors are stated here. */
#define WINO(label, H, W, C, P, F)                                                                \
    {.name = "winograd " label, .op = XA_OP_CONV2D, .ninputs = 1, .inputs = {S3(H, W, C)},        \
     .nweights = 2, .weights = {S4(3, 3, C, F), S1(F)}, .numerics = XA_NUMERICS_FAST,             \
     .params.conv2d = {WINDOW(3, 3, 1, 1, 1, 1, P), F, 1}, .tolerance = 1e-5}
#define DW(label, H, W, C, KH, KW, SH, SW, DH, DW_, P, M)                                         \
    {.name = "depthwise " label, .op = XA_OP_DEPTHWISE, .ninputs = 1, .inputs = {S3(H, W, C)},    \
     .nweights = 2, .weights = {S4(KH, KW, C, M), S1((C) * (M))},                                 \
     .params.depthwise = {WINDOW(KH, KW, SH, SW, DH, DW_, P), M}}
#define DW_NO_BIAS(label, H, W, C, KH, KW, SH, SW, DH, DW_, P, M)                                 \
    {.name = "depthwise " label, .op = XA_OP_DEPTHWISE, .ninputs = 1, .inputs = {S3(H, W, C)},    \
     .nweights = 1, .weights = {S4(KH, KW, C, M)},                                                \
     .params.depthwise = {WINDOW(KH, KW, SH, SW, DH, DW_, P), M}}
#define POOL(KIND, text, label, H, W, C, KH, KW, SH, SW, P)                                       \
    {.name = text " " label, .op = XA_OP_##KIND, .ninputs = 1, .inputs = {S3(H, W, C)},           \
     .params.pool = WINDOW(KH, KW, SH, SW, 1, 1, P)}
#define ACT(label, KIND, A, B, C, shape, RANGE)                                                   \
    {.name = "activation " label, .op = XA_OP_ACTIVATION, .ninputs = 1, .inputs = {shape},        \
     .params.activation = {XA_ACT_##KIND, A, B, C}, .range = RANGE}
#define PAIR(KIND, text, label, a, b)                                                             \
    {.name = text " " label, .op = XA_OP_##KIND, .ninputs = 2, .inputs = {a, b}}
#define TRIPLE(KIND, text, label, a, b, c)                                                        \
    {.name = text " " label, .op = XA_OP_##KIND, .ninputs = 3, .inputs = {a, b, c}}
#define ATTEND(label, T, S, NH, K, V, SCALE)                                                      \
    {.name = "attention " label, .op = XA_OP_ATTENTION, .ninputs = 3,                             \
     .inputs = {S2(T, (NH) * (K)), S2(S, (NH) * (K)), S2(S, (NH) * (V))},                         \
     .params.attention = {NH, SCALE}}
#define RESIZE(label, KIND, H, W, C, OH, OW)                                                      \
    {.name = "resize " label, .op = XA_OP_RESIZE, .ninputs = 1, .inputs = {S3(H, W, C)},          \
     .params.resize = {OH, OW, XA_RESIZE_##KIND}}
/* The shapes every elementwise operator of two inputs is tried on. */
#define PAIRS(KIND, text)                                                                         \
    PAIR(KIND, text, "equal", S3(3, 5, 7), S3(3, 5, 7)),                                          \
    PAIR(KIND, text, "long", S1(1300), S1(1300)),                                                 \
    PAIR(KIND, text, "channels second", S3(4, 3, 9), S3(1, 1, 9)),                                \
    PAIR(KIND, text, "channels first", S3(1, 1, 9), S3(4, 3, 9)),                                 \
    PAIR(KIND, text, "pixels", S3(4, 3, 5), S3(4, 3, 1)),                                         \
    PAIR(KIND, text, "rows", S3(4, 3, 5), S3(4, 1, 1)),                                           \
    PAIR(KIND, text, "columns", S3(4, 3, 5), S3(1, 3, 1)),                                        \
    PAIR(KIND, text, "outer", S3(4, 1, 5), S3(1, 3, 1)),                                          \
    PAIR(KIND, text, "one value", S2(6, 5), S2(1, 1)),                                            \
    PAIR(KIND, text, "single", S3(1, 1, 1), S3(1, 1, 1)),                                         \
    PAIR(KIND, text, "five axes", S5(2, 3, 2, 1, 3), S5(2, 1, 2, 2, 1))
#define TRIPLES(KIND, text)                                                                       \
    TRIPLE(KIND, text, "three equal", S3(3, 2, 10), S3(3, 2, 10), S3(3, 2, 10)),                  \
    TRIPLE(KIND, text, "three mixed", S3(1, 2, 10), S3(3, 1, 10), S3(3, 2, 1))

const op_case op_cases[] = {
    CONV("1x1", 5, 7, 6, 1, 1, 1, 1, 1, 1, VALID, 9, 1),
    CONV("1x1 few pixels", 2, 3, 11, 1, 1, 1, 1, 1, 1, SAME, 5, 1),
    CONV("1x1 single pixel", 1, 1, 13, 1, 1, 1, 1, 1, 1, SAME, 17, 1),
    CONV("1x1 stride 2", 7, 6, 5, 1, 1, 2, 2, 1, 1, SAME, 8, 1),
    CONV_NO_BIAS("1x1 no bias", 6, 6, 8, 1, 1, 1, 1, 1, 1, VALID, 16, 1),
    CONV("3x3 same", 9, 8, 5, 3, 3, 1, 1, 1, 1, SAME, 7, 1),
    CONV("3x3 valid", 9, 8, 5, 3, 3, 1, 1, 1, 1, VALID, 7, 1),
    CONV("3x3 same stride 2", 9, 8, 5, 3, 3, 2, 2, 1, 1, SAME, 7, 1),
    CONV("3x3 valid stride 2", 11, 10, 3, 3, 3, 2, 2, 1, 1, VALID, 8, 1),
    CONV("3x3 dilation 2", 9, 10, 3, 3, 3, 1, 1, 2, 2, SAME, 4, 1),
    CONV("3x3 dilation 3x2 valid", 9, 10, 3, 3, 3, 1, 1, 3, 2, VALID, 4, 1),
    CONV("2x2 same even kernel", 5, 6, 4, 2, 2, 1, 1, 1, 1, SAME, 3, 1),
    CONV("4x4 same stride 3", 8, 7, 2, 4, 4, 3, 3, 1, 1, SAME, 5, 1),
    CONV("1x7 same", 5, 9, 4, 1, 7, 1, 1, 1, 1, SAME, 6, 1),
    CONV("7x1 same", 9, 5, 4, 7, 1, 1, 1, 1, 1, SAME, 6, 1),
    CONV("stride beyond kernel", 10, 11, 3, 2, 2, 3, 4, 1, 1, VALID, 4, 1),
    CONV("stride beyond kernel same", 10, 11, 3, 1, 1, 3, 4, 1, 1, SAME, 4, 1),
    CONV("padding wider than input", 2, 3, 3, 7, 9, 1, 1, 1, 1, SAME, 4, 1),
    CONV("dilation wider than input", 3, 3, 2, 3, 3, 1, 1, 5, 4, SAME, 3, 1),
    CONV("whole input", 4, 5, 6, 4, 5, 1, 1, 1, 1, VALID, 9, 1),
    CONV("groups 2", 7, 6, 6, 3, 3, 1, 1, 1, 1, SAME, 8, 2),
    CONV("groups 3 1x1", 5, 5, 9, 1, 1, 1, 1, 1, 1, SAME, 6, 3),
    CONV("groups all", 6, 5, 5, 3, 3, 2, 2, 1, 1, SAME, 10, 5),
    CONV("groups dilation few pixels", 3, 4, 4, 3, 2, 1, 1, 2, 1, SAME, 6, 2),
    CONV("single pixel 3x3", 1, 1, 3, 3, 3, 1, 1, 1, 1, SAME, 4, 1),
    CONV("many pixels", 40, 33, 2, 3, 3, 1, 1, 1, 1, SAME, 3, 1),
    CONV("1x1 many pixels", 41, 33, 3, 1, 1, 1, 1, 1, 1, SAME, 4, 1),
    CONV("groups many pixels", 40, 33, 4, 3, 3, 1, 1, 1, 1, SAME, 6, 2),
    CONV_NO_BIAS("stem 7x7 stride 2", 23, 21, 3, 7, 7, 2, 2, 1, 1, SAME, 8, 1),
    CONV("deep 3x3 same", 6, 7, 19, 3, 3, 1, 1, 1, 1, SAME, 21, 1),
    CONV("deep 3x3 valid", 7, 5, 16, 3, 3, 1, 1, 1, 1, VALID, 33, 1),
    CONV("deep 3x3 stride 2", 9, 8, 17, 3, 3, 2, 2, 1, 1, SAME, 18, 1),
    CONV("deep 1x1 stride 2", 7, 6, 18, 1, 1, 2, 2, 1, 1, SAME, 9, 1),
    CONV("deep stride beyond kernel", 10, 11, 16, 2, 2, 3, 4, 1, 1, VALID, 5, 1),
    CONV("deep dilation 2", 9, 10, 16, 3, 3, 1, 1, 2, 2, SAME, 5, 1),
    CONV("deep dilation 2 stride 2x1", 9, 10, 16, 3, 2, 2, 1, 2, 1, SAME, 5, 1),
    CONV("deep groups 2", 5, 6, 34, 3, 3, 1, 1, 1, 1, SAME, 10, 2),
    CONV("deep groups 2 stride 2", 7, 6, 32, 3, 3, 2, 2, 1, 1, VALID, 18, 2),
    CONV("deep padding wider than input", 2, 3, 16, 7, 9, 1, 1, 1, 1, SAME, 4, 1),
    CONV("deep 1x7", 4, 9, 17, 1, 7, 1, 1, 1, 1, SAME, 6, 1),
    CONV("deep wide rows", 3, 300, 16, 3, 3, 1, 1, 1, 1, SAME, 3, 1),
    CONV("deep many pixels", 19, 33, 16, 3, 3, 1, 1, 1, 1, VALID, 3, 1),
    WINO("tiles of 4", 8, 8, 16, SAME, 16),
    WINO("odd channels", 9, 11, 19, SAME, 21),
    WINO("valid", 10, 9, 17, VALID, 35),
    WINO("tiles of 2", 6, 6, 20, SAME, 18),
    WINO("tiles of 2 valid", 8, 4, 16, VALID, 40),
    WINO("several blocks", 44, 41, 16, SAME, 17),

    {.name = "dense vector", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S1(37)}, .nweights = 2,
     .weights = {S2(37, 11), S1(11)}, .params.dense = {11}},
    {.name = "dense no bias", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S1(64)}, .nweights = 1,
     .weights = {S2(64, 40)}, .params.dense = {40}},
    {.name = "dense one unit", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S1(19)}, .nweights = 2,
     .weights = {S2(19, 1), S1(1)}, .params.dense = {1}},
    {.name = "dense one value", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S1(1)}, .nweights = 2,
     .weights = {S2(1, 3), S1(3)}, .params.dense = {3}},
    {.name = "dense few tokens", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S2(5, 12)},
     .nweights = 2, .weights = {S2(12, 18), S1(18)}, .params.dense = {18}},
    {.name = "dense tokens", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S2(50, 24)},
     .nweights = 2, .weights = {S2(24, 33), S1(33)}, .params.dense = {33}},
    {.name = "dense many tokens", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S2(1100, 5)},
     .nweights = 2, .weights = {S2(5, 6), S1(6)}, .params.dense = {6}},
    {.name = "dense on image", .op = XA_OP_DENSE, .ninputs = 1, .inputs = {S3(4, 5, 6)},
     .nweights = 2, .weights = {S2(6, 7), S1(7)}, .params.dense = {7}},

    DW("3x3 same", 9, 10, 16, 3, 3, 1, 1, 1, 1, SAME, 1),
    DW("3x3 same odd channels", 7, 11, 13, 3, 3, 1, 1, 1, 1, SAME, 1),
    DW("3x3 valid", 8, 9, 12, 3, 3, 1, 1, 1, 1, VALID, 1),
    DW("3x3 same stride 2", 9, 12, 11, 3, 3, 2, 2, 1, 1, SAME, 1),
    DW("3x3 valid stride 2", 10, 11, 8, 3, 3, 2, 2, 1, 1, VALID, 1),
    DW("3x3 stride 1x2", 6, 11, 9, 3, 3, 1, 2, 1, 1, SAME, 1),
    DW("3x3 stride 2x1", 7, 9, 9, 3, 3, 2, 1, 1, 1, SAME, 1),
    DW("3x3 stride 3", 10, 10, 9, 3, 3, 3, 3, 1, 1, SAME, 1),
    DW("5x5 same", 8, 13, 10, 5, 5, 1, 1, 1, 1, SAME, 1),
    DW("5x5 stride 2", 9, 14, 8, 5, 5, 2, 2, 1, 1, SAME, 1),
    DW("7x7 same", 9, 12, 8, 7, 7, 1, 1, 1, 1, SAME, 1),
    DW("9x9 same", 11, 6, 9, 9, 9, 1, 1, 1, 1, SAME, 1),
    DW("2x2 same even kernel", 5, 6, 9, 2, 2, 1, 1, 1, 1, SAME, 1),
    DW("4x4 same stride 2", 7, 8, 5, 4, 4, 2, 2, 1, 1, SAME, 1),
    DW("1x3", 4, 9, 8, 1, 3, 1, 1, 1, 1, SAME, 1),
    DW("17x3 tall", 18, 9, 8, 17, 3, 1, 1, 1, 1, SAME, 1),
    DW("dilation 2", 9, 8, 10, 3, 3, 1, 1, 2, 2, SAME, 1),
    DW("dilation 3x2 valid", 9, 8, 10, 3, 3, 1, 1, 3, 2, VALID, 1),
    DW("multiplier 2", 6, 7, 5, 3, 3, 1, 1, 1, 1, SAME, 2),
    DW("multiplier 3 stride 2", 7, 6, 3, 3, 3, 2, 2, 1, 1, SAME, 3),
    DW("multiplier from one channel", 5, 6, 1, 3, 3, 1, 1, 1, 1, VALID, 10),
    DW("padding wider than input", 2, 3, 8, 7, 7, 1, 1, 1, 1, SAME, 1),
    DW("stride beyond kernel", 10, 9, 8, 2, 2, 3, 4, 1, 1, VALID, 1),
    DW("single pixel", 1, 1, 9, 3, 3, 1, 1, 1, 1, SAME, 1),
    DW("narrow", 9, 2, 8, 3, 3, 1, 1, 1, 1, SAME, 1),
    DW("1x1", 3, 4, 10, 1, 1, 1, 1, 1, 1, SAME, 1),
    DW("several tiles", 40, 30, 72, 3, 3, 1, 1, 1, 1, SAME, 1),
    DW("several tiles stride 2", 61, 40, 40, 3, 3, 2, 2, 1, 1, SAME, 1),
    DW("several tiles 7x7 valid", 40, 60, 32, 7, 7, 1, 1, 1, 1, VALID, 1),
    DW("several tiles dilated", 60, 40, 36, 3, 3, 1, 1, 3, 3, SAME, 1),
    DW_NO_BIAS("no bias", 6, 9, 24, 3, 3, 1, 1, 1, 1, SAME, 1),

    {.name = "affine all", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S3(4, 5, 9)},
     .nweights = 4, .weights = {S1(9), S1(9), S1(9), S1(9)}, .params.affine = {1e-3f, 0.0f}},
    {.name = "affine no gamma", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S3(4, 5, 9)},
     .nweights = 4, .weights = {{0}, S1(9), S1(9), S1(9)}, .params.affine = {1e-3f, 0.0f}},
    {.name = "affine mean only", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S2(4, 5)},
     .nweights = 3, .weights = {{0}, {0}, S1(5)}, .params.affine = {1e-3f, 0.0f}},
    {.name = "affine floor", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S3(3, 3, 7)},
     .nweights = 4, .weights = {{0}, {0}, S1(7), S1(7)}, .params.affine = {0.0f, 1.0f}},
    {.name = "affine one value", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S3(3, 3, 7)},
     .nweights = 2, .weights = {S1(1), S1(1)}},
    {.name = "affine identity", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S1(10)}},
    {.name = "affine several tiles", .op = XA_OP_AFFINE, .ninputs = 1, .inputs = {S3(40, 30, 73)},
     .nweights = 2, .weights = {S1(73), S1(73)}},

    ACT("linear", LINEAR, 0, 0, 0, S2(3, 5), 0),
    ACT("relu", RELU, 0, INFINITY, 0, S3(4, 5, 13), 0),
    ACT("relu whole bytes", RELU, 0, INFINITY, 0, S3(4, 5, 16), 0),
    ACT("relu several tiles", RELU, 0, INFINITY, 0, S3(40, 30, 73), 0),
    ACT("relu 6", RELU, 0, 6, 0, S3(3, 5, 11), 9),
    ACT("leaky relu", RELU, 0.2f, INFINITY, 0, S2(9, 10), 0),
    ACT("leaky relu 6", RELU, 0.2f, 6, 0, S2(9, 10), 9),
    ACT("relu threshold", RELU, 0.1f, INFINITY, 0.5f, S1(90), 3),
    ACT("relu threshold 6", RELU, 0, 6, 1, S1(90), 9),
    ACT("relu vector", RELU, 0, INFINITY, 0, S1(1), 0),
    ACT("elu", ELU, 1, 0, 0, S2(9, 10), 6),
    ACT("elu 0.3", ELU, 0.3f, 0, 0, S2(9, 10), 6),
    ACT("selu", SELU, 0, 0, 0, S2(9, 10), 6),
    ACT("sigmoid", SIGMOID, 0, 0, 0, S2(9, 10), 9),
    ACT("tanh", TANH, 0, 0, 0, S2(9, 10), 6),
    ACT("swish", SWISH, 1, 0, 0, S2(9, 10), 9),
    ACT("quick gelu", SWISH, 1.702f, 0, 0, S2(9, 10), 6),
    ACT("gelu", GELU, 0, 0, 0, S2(9, 10), 6),
    ACT("gelu tanh", GELU_TANH, 0, 0, 0, S2(9, 10), 6),
    ACT("softplus", SOFTPLUS, 0, 0, 0, S2(9, 10), 9),
    ACT("softsign", SOFTSIGN, 0, 0, 0, S2(9, 10), 9),
    ACT("exp", EXP, 0, 0, 0, S2(9, 10), 4),
    ACT("hard sigmoid 3", HARD_SIGMOID, 1.0f / 6.0f, 0.5f, 0, S2(9, 10), 6),
    ACT("hard sigmoid 2", HARD_SIGMOID, 0.2f, 0.5f, 0, S2(9, 10), 6),
    ACT("hard swish", HARD_SWISH, 0, 0, 0, S2(9, 10), 6),
    ACT("mish", MISH, 0, 0, 0, S2(9, 10), 9),
    ACT("several tiles", TANH, 0, 0, 0, S3(40, 50, 30), 3),

    {.name = "prelu channels", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S3(4, 5, 9)},
     .nweights = 1, .weights = {S3(1, 1, 9)}},
    {.name = "prelu everywhere", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S3(4, 5, 9)},
     .nweights = 1, .weights = {S3(4, 5, 9)}},
    {.name = "prelu columns", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S3(4, 5, 9)},
     .nweights = 1, .weights = {S3(1, 5, 1)}},
    {.name = "prelu rows", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S3(4, 5, 9)},
     .nweights = 1, .weights = {S3(4, 1, 1)}},
    {.name = "prelu one", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S1(12)}, .nweights = 1,
     .weights = {S1(1)}},
    {.name = "prelu several tiles", .op = XA_OP_PRELU, .ninputs = 1, .inputs = {S3(40, 30, 73)},
     .nweights = 1, .weights = {S3(1, 1, 73)}},

    {.name = "softmax vector", .op = XA_OP_SOFTMAX, .ninputs = 1, .inputs = {S1(11)}, .range = 8},
    {.name = "softmax rows", .op = XA_OP_SOFTMAX, .ninputs = 1, .inputs = {S3(2, 5, 7)}},
    {.name = "softmax large values", .op = XA_OP_SOFTMAX, .ninputs = 1, .inputs = {S1(6)},
     .range = 300},
    {.name = "softmax one class", .op = XA_OP_SOFTMAX, .ninputs = 1, .inputs = {S1(1)}},
    {.name = "softmax several tiles", .op = XA_OP_SOFTMAX, .ninputs = 1, .inputs = {S2(7000, 7)}},

    ATTEND("one head", 5, 5, 1, 8, 8, 0.35f),
    ATTEND("three heads", 17, 17, 3, 8, 8, 0.35f),
    ATTEND("odd widths", 7, 11, 2, 5, 3, 0.4f),
    ATTEND("one token", 1, 1, 4, 3, 3, 1.0f),
    ATTEND("one column a head", 9, 9, 6, 1, 1, 1.0f),
    ATTEND("many tokens", 50, 50, 2, 16, 16, 0.25f),
    ATTEND("beyond a tile", 101, 65, 1, 33, 20, 0.17f),
    ATTEND("sharp", 6, 6, 2, 4, 4, 9.0f),
    ATTEND("negative scale", 6, 9, 2, 4, 4, -0.5f),
    {.name = "tokens all", .op = XA_OP_TOKENS, .ninputs = 1, .inputs = {S2(6, 5)}, .nweights = 2,
     .weights = {S2(1, 5), S2(7, 5)}},
    {.name = "tokens prefix only", .op = XA_OP_TOKENS, .ninputs = 1, .inputs = {S2(4, 9)},
     .nweights = 1, .weights = {S2(3, 9)}},
    {.name = "tokens position only", .op = XA_OP_TOKENS, .ninputs = 1, .inputs = {S2(49, 24)},
     .nweights = 2, .weights = {{0}, S2(49, 24)}},
    {.name = "tokens bare", .op = XA_OP_TOKENS, .ninputs = 1, .inputs = {S2(3, 4)}},

    {.name = "layer_norm tokens", .op = XA_OP_LAYER_NORM, .ninputs = 1, .inputs = {S2(5, 24)},
     .nweights = 2, .weights = {S1(24), S1(24)}, .params.layer_norm = {1e-6f}},
    {.name = "layer_norm odd width", .op = XA_OP_LAYER_NORM, .ninputs = 1, .inputs = {S3(2, 3, 13)},
     .nweights = 2, .weights = {S1(13), S1(13)}, .params.layer_norm = {1e-3f}},
    {.name = "layer_norm bare", .op = XA_OP_LAYER_NORM, .ninputs = 1, .inputs = {S1(19)},
     .params.layer_norm = {1e-3f}},
    {.name = "layer_norm beta only", .op = XA_OP_LAYER_NORM, .ninputs = 1, .inputs = {S2(3, 8)},
     .nweights = 2, .weights = {{0}, S1(8)}, .params.layer_norm = {1e-3f}},
    {.name = "layer_norm rms", .op = XA_OP_LAYER_NORM, .ninputs = 1, .inputs = {S2(5, 24)},
     .nweights = 1, .weights = {S1(24)}, .params.layer_norm = {1e-6f, true}},
    {.name = "layer_norm rms odd width", .op = XA_OP_LAYER_NORM, .ninputs = 1,
     .inputs = {S3(2, 3, 13)}, .nweights = 2, .weights = {S1(13), S1(13)},
     .params.layer_norm = {1e-3f, true}},
    {.name = "layer_norm several tiles", .op = XA_OP_LAYER_NORM, .ninputs = 1,
     .inputs = {S2(700, 97)}, .nweights = 2, .weights = {S1(97), S1(97)},
     .params.layer_norm = {1e-3f}},

    POOL(MAX_POOL, "max_pool", "2x2", 6, 8, 9, 2, 2, 2, 2, VALID),
    POOL(MAX_POOL, "max_pool", "2x2 odd input", 7, 9, 8, 2, 2, 2, 2, VALID),
    POOL(MAX_POOL, "max_pool", "2x2 same odd input", 7, 9, 8, 2, 2, 2, 2, SAME),
    POOL(MAX_POOL, "max_pool", "3x3 stride 2 same", 9, 10, 16, 3, 3, 2, 2, SAME),
    POOL(MAX_POOL, "max_pool", "3x3 stride 2 valid", 11, 10, 5, 3, 3, 2, 2, VALID),
    POOL(MAX_POOL, "max_pool", "3x3 stride 1", 5, 6, 12, 3, 3, 1, 1, SAME),
    POOL(MAX_POOL, "max_pool", "2x3 stride 3x1", 8, 7, 3, 2, 3, 3, 1, SAME),
    POOL(MAX_POOL, "max_pool", "stride beyond window", 9, 11, 8, 2, 2, 3, 5, SAME),
    POOL(MAX_POOL, "max_pool", "window wider than input", 2, 3, 8, 5, 7, 1, 1, SAME),
    POOL(MAX_POOL, "max_pool", "single pixel", 1, 1, 9, 3, 3, 2, 2, SAME),
    POOL(MAX_POOL, "max_pool", "16x16 window", 17, 18, 3, 16, 16, 1, 1, VALID),
    POOL(MAX_POOL, "max_pool", "17x16 window", 18, 18, 11, 17, 16, 1, 2, SAME),
    POOL(MAX_POOL, "max_pool", "several tiles", 60, 50, 41, 3, 3, 2, 2, SAME),
    POOL(MAX_POOL, "max_pool", "several tiles stride 1", 50, 50, 33, 3, 3, 1, 1, VALID),

    POOL(AVG_POOL, "avg_pool", "2x2", 6, 8, 9, 2, 2, 2, 2, VALID),
    POOL(AVG_POOL, "avg_pool", "2x2 same odd input", 7, 9, 8, 2, 2, 2, 2, SAME),
    POOL(AVG_POOL, "avg_pool", "3x3 stride 1 same", 5, 6, 12, 3, 3, 1, 1, SAME),
    POOL(AVG_POOL, "avg_pool", "3x3 stride 2 same", 9, 10, 7, 3, 3, 2, 2, SAME),
    POOL(AVG_POOL, "avg_pool", "2x3 stride 3x1", 8, 7, 3, 2, 3, 3, 1, SAME),
    POOL(AVG_POOL, "avg_pool", "stride beyond window", 9, 11, 8, 2, 2, 3, 5, VALID),
    POOL(AVG_POOL, "avg_pool", "window wider than input", 2, 3, 8, 5, 7, 1, 1, SAME),
    POOL(AVG_POOL, "avg_pool", "single pixel", 1, 1, 9, 3, 3, 2, 2, SAME),
    POOL(AVG_POOL, "avg_pool", "several tiles", 50, 50, 33, 3, 3, 1, 1, SAME),

    {.name = "global_pool mean", .op = XA_OP_GLOBAL_POOL, .ninputs = 1, .inputs = {S3(5, 6, 70)},
     .params.global_pool = {XA_POOL_AVG, false}},
    {.name = "global_pool mean keepdims", .op = XA_OP_GLOBAL_POOL, .ninputs = 1,
     .inputs = {S3(5, 1, 7)}, .params.global_pool = {XA_POOL_AVG, true}},
    {.name = "global_pool max", .op = XA_OP_GLOBAL_POOL, .ninputs = 1, .inputs = {S3(5, 6, 11)},
     .params.global_pool = {XA_POOL_MAX, false}},
    {.name = "global_pool max single pixel", .op = XA_OP_GLOBAL_POOL, .ninputs = 1,
     .inputs = {S3(1, 1, 5)}, .params.global_pool = {XA_POOL_MAX, true}},

    PAIRS(ADD, "add"), TRIPLES(ADD, "add"),
    PAIRS(SUBTRACT, "subtract"),
    PAIRS(MULTIPLY, "multiply"), TRIPLES(MULTIPLY, "multiply"),
    PAIRS(AVERAGE, "average"), TRIPLES(AVERAGE, "average"),
    PAIRS(MAXIMUM, "maximum"), TRIPLES(MAXIMUM, "maximum"),
    PAIRS(MINIMUM, "minimum"), TRIPLES(MINIMUM, "minimum"),
    PAIR(ADD, "add", "several tiles", S3(50, 40, 30), S3(50, 40, 30)),
    PAIR(MULTIPLY, "multiply", "squeeze and excite", S3(20, 20, 24), S3(1, 1, 24)),

    {.name = "concat channels", .op = XA_OP_CONCAT, .ninputs = 3,
     .inputs = {S3(3, 4, 5), S3(3, 4, 1), S3(3, 4, 8)}, .params.concat = {2}},
    {.name = "concat rows", .op = XA_OP_CONCAT, .ninputs = 2,
     .inputs = {S3(3, 4, 5), S3(2, 4, 5)}, .params.concat = {0}},
    {.name = "concat columns", .op = XA_OP_CONCAT, .ninputs = 2,
     .inputs = {S3(3, 4, 5), S3(3, 1, 5)}, .params.concat = {1}},
    {.name = "concat vectors", .op = XA_OP_CONCAT, .ninputs = 2, .inputs = {S1(1), S1(9)},
     .params.concat = {0}},
    {.name = "concat one", .op = XA_OP_CONCAT, .ninputs = 1, .inputs = {S2(3, 9)},
     .params.concat = {1}},

    {.name = "pad uneven", .op = XA_OP_PAD, .ninputs = 1, .inputs = {S3(3, 4, 5)},
     .params.edges = {0, 1, 2, 3}},
    {.name = "pad wider than input", .op = XA_OP_PAD, .ninputs = 1, .inputs = {S3(1, 2, 3)},
     .params.edges = {4, 5, 3, 6}},
    {.name = "pad nothing", .op = XA_OP_PAD, .ninputs = 1, .inputs = {S3(3, 4, 5)}},
    {.name = "crop uneven", .op = XA_OP_CROP, .ninputs = 1, .inputs = {S3(6, 7, 5)},
     .params.edges = {0, 1, 2, 3}},
    {.name = "crop to one pixel", .op = XA_OP_CROP, .ninputs = 1, .inputs = {S3(5, 4, 3)},
     .params.edges = {2, 2, 0, 3}},

    {.name = "permute 3 axes", .op = XA_OP_PERMUTE, .ninputs = 1, .inputs = {S3(3, 4, 5)},
     .params.permute = {{2, 0, 1}}},
    {.name = "permute last stays", .op = XA_OP_PERMUTE, .ninputs = 1, .inputs = {S3(3, 4, 5)},
     .params.permute = {{1, 0, 2}}},
    {.name = "permute 5 axes", .op = XA_OP_PERMUTE, .ninputs = 1, .inputs = {S5(2, 3, 1, 4, 5)},
     .params.permute = {{4, 2, 0, 3, 1}}},
    {.name = "permute vector", .op = XA_OP_PERMUTE, .ninputs = 1, .inputs = {S1(7)},
     .params.permute = {{0}}},

    RESIZE("nearest x2", NEAREST, 3, 4, 5, 6, 8),
    RESIZE("nearest up odd", NEAREST, 3, 4, 5, 7, 9),
    RESIZE("nearest down", NEAREST, 9, 10, 3, 4, 3),
    RESIZE("nearest from one pixel", NEAREST, 1, 1, 9, 5, 4),
    RESIZE("bilinear x2", BILINEAR, 3, 4, 5, 6, 8),
    RESIZE("bilinear up odd", BILINEAR, 3, 4, 5, 7, 9),
    RESIZE("bilinear down", BILINEAR, 9, 10, 3, 4, 3),
    RESIZE("bilinear same size", BILINEAR, 4, 5, 3, 4, 5),
    RESIZE("bilinear from one pixel", BILINEAR, 1, 1, 9, 5, 4),
    RESIZE("bicubic x2", BICUBIC, 3, 4, 5, 6, 8),
    RESIZE("bicubic up odd", BICUBIC, 5, 4, 3, 7, 9),
    RESIZE("bicubic down", BICUBIC, 9, 10, 3, 4, 3),
    RESIZE("bicubic from two pixels", BICUBIC, 2, 1, 9, 5, 4),
    RESIZE("bilinear several tiles", BILINEAR, 5, 4, 70, 60, 40),
};
/* clang-format on */

const int op_cases_count = (int)(sizeof(op_cases) / sizeof(op_cases[0]));
