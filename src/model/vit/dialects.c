/* How tensors of vision transformers are named by the libraries that write them, and what each
 * library's classifier does that no tensor shows. */
#include "vit.h"

static const char *const none[] = {NULL};

/* What transformers' models have beside their classifier. */
static const char *const unused_of_vit[] = {"pooler.dense.weight",
                                            "pooler.dense.bias",
                                            "embeddings.mask_token",
                                            "embeddings.position_ids",
                                            NULL};

/* timm: vision_transformer.py, deit.py. */
static const xa__vit_dialect timm = {
    .name = "timm",
    .modules = {"blocks.%d", "blocks.%d.attn", "blocks.%d.mlp", "head"},
    .norms = {".norm1", ".norm2"},
    .types = "vit deit timm_wrapper",
    .classes = "ViTForImageClassification DeiTForImageClassification "
               "DeiTForImageClassificationWithTeacher TimmWrapperForImageClassification",
    .unused = none,
    .act = XA_ACT_GELU,
    .epsilon = 1e-6,
    .interpolation = XA_RESAMPLE_PIL_BICUBIC,
    .parts = {[XA__VIT_PATCH_W] = "patch_embed.proj.weight",
              [XA__VIT_PATCH_B] = "patch_embed.proj.bias",
              [XA__VIT_CLASS] = "cls_token",
              [XA__VIT_DISTILL] = "dist_token",
              [XA__VIT_REGISTERS] = "reg_token",
              [XA__VIT_POSITION] = "pos_embed",
              [XA__VIT_FRONT_NORM_W] = "norm_pre.weight",
              [XA__VIT_FRONT_NORM_B] = "norm_pre.bias",
              [XA__VIT_NORM1_W] = "blocks.%d.norm1.weight",
              [XA__VIT_NORM1_B] = "blocks.%d.norm1.bias",
              [XA__VIT_QKV_W] = "blocks.%d.attn.qkv.weight",
              [XA__VIT_QKV_B] = "blocks.%d.attn.qkv.bias",
              [XA__VIT_Q_NORM_W] = "blocks.%d.attn.q_norm.weight",
              [XA__VIT_Q_NORM_B] = "blocks.%d.attn.q_norm.bias",
              [XA__VIT_K_NORM_W] = "blocks.%d.attn.k_norm.weight",
              [XA__VIT_K_NORM_B] = "blocks.%d.attn.k_norm.bias",
              [XA__VIT_PROJ_W] = "blocks.%d.attn.proj.weight",
              [XA__VIT_PROJ_B] = "blocks.%d.attn.proj.bias",
              [XA__VIT_SCALE1] = "blocks.%d.ls1.gamma",
              [XA__VIT_NORM2_W] = "blocks.%d.norm2.weight",
              [XA__VIT_NORM2_B] = "blocks.%d.norm2.bias",
              [XA__VIT_FC1_W] = "blocks.%d.mlp.fc1.weight",
              [XA__VIT_FC1_B] = "blocks.%d.mlp.fc1.bias",
              [XA__VIT_FC2_W] = "blocks.%d.mlp.fc2.weight",
              [XA__VIT_FC2_B] = "blocks.%d.mlp.fc2.bias",
              [XA__VIT_SCALE2] = "blocks.%d.ls2.gamma",
              [XA__VIT_NORM_W] = "norm.weight",
              [XA__VIT_NORM_B] = "norm.bias",
              [XA__VIT_FC_NORM_W] = "fc_norm.weight",
              [XA__VIT_FC_NORM_B] = "fc_norm.bias",
              [XA__VIT_PRE_W] = "pre_logits.fc.weight",
              [XA__VIT_PRE_B] = "pre_logits.fc.bias",
              [XA__VIT_HEAD_W] = "head.weight",
              [XA__VIT_HEAD_B] = "head.bias",
              [XA__VIT_HEAD2_W] = "head_dist.weight",
              [XA__VIT_HEAD2_B] = "head_dist.bias"}};

/* transformers: ViTForImageClassification, DeiTForImageClassification and ...WithTeacher. A part
 * without '/' in front has the stem "vit." or "deit." before its name. */
#define HF_COMMON                                                                                  \
    [XA__VIT_PATCH_W] = "embeddings.patch_embeddings.projection.weight",                           \
    [XA__VIT_PATCH_B] = "embeddings.patch_embeddings.projection.bias",                             \
    [XA__VIT_CLASS] = "embeddings.cls_token", [XA__VIT_DISTILL] = "embeddings.distillation_token", \
    [XA__VIT_POSITION] = "embeddings.position_embeddings", [XA__VIT_NORM_W] = "layernorm.weight",  \
    [XA__VIT_NORM_B] = "layernorm.bias"

static const xa__vit_dialect transformers = {
    .name = "transformers",
    .modules = {"encoder.layer.%d",
                "encoder.layer.%d.attention",
                "encoder.layer.%d.mlp",
                "classifier"},
    .norms = {".layernorm_before", ".layernorm_after"},
    .types = "vit deit",
    .classes = "ViTForImageClassification DeiTForImageClassification "
               "DeiTForImageClassificationWithTeacher",
    .unused = unused_of_vit,
    .act = XA_ACT_GELU,
    .needs_config = true,
    .epsilon = 1e-12,
    .interpolation = XA_RESAMPLE_CV2_CUBIC,
    .parts = {HF_COMMON,
              [XA__VIT_NORM1_W] = "encoder.layer.%d.layernorm_before.weight",
              [XA__VIT_NORM1_B] = "encoder.layer.%d.layernorm_before.bias",
              [XA__VIT_Q_W] = "encoder.layer.%d.attention.attention.query.weight",
              [XA__VIT_Q_B] = "encoder.layer.%d.attention.attention.query.bias",
              [XA__VIT_K_W] = "encoder.layer.%d.attention.attention.key.weight",
              [XA__VIT_K_B] = "encoder.layer.%d.attention.attention.key.bias",
              [XA__VIT_V_W] = "encoder.layer.%d.attention.attention.value.weight",
              [XA__VIT_V_B] = "encoder.layer.%d.attention.attention.value.bias",
              [XA__VIT_PROJ_W] = "encoder.layer.%d.attention.output.dense.weight",
              [XA__VIT_PROJ_B] = "encoder.layer.%d.attention.output.dense.bias",
              [XA__VIT_NORM2_W] = "encoder.layer.%d.layernorm_after.weight",
              [XA__VIT_NORM2_B] = "encoder.layer.%d.layernorm_after.bias",
              [XA__VIT_FC1_W] = "encoder.layer.%d.intermediate.dense.weight",
              [XA__VIT_FC1_B] = "encoder.layer.%d.intermediate.dense.bias",
              [XA__VIT_FC2_W] = "encoder.layer.%d.output.dense.weight",
              [XA__VIT_FC2_B] = "encoder.layer.%d.output.dense.bias",
              [XA__VIT_HEAD_W] = "/classifier.weight",
              [XA__VIT_HEAD_B] = "/classifier.bias"}};

static const xa__vit_dialect transformers_5 = {
    .name = "transformers 5",
    .modules = {"layers.%d", "layers.%d.attention", "layers.%d.mlp", "classifier"},
    .norms = {".layernorm_before", ".layernorm_after"},
    .types = "vit deit",
    .classes = "ViTForImageClassification DeiTForImageClassification "
               "DeiTForImageClassificationWithTeacher",
    .unused = unused_of_vit,
    .act = XA_ACT_GELU,
    .needs_config = true,
    .epsilon = 1e-12,
    .interpolation = XA_RESAMPLE_CV2_CUBIC,
    .parts = {HF_COMMON,
              [XA__VIT_NORM1_W] = "layers.%d.layernorm_before.weight",
              [XA__VIT_NORM1_B] = "layers.%d.layernorm_before.bias",
              [XA__VIT_Q_W] = "layers.%d.attention.q_proj.weight",
              [XA__VIT_Q_B] = "layers.%d.attention.q_proj.bias",
              [XA__VIT_K_W] = "layers.%d.attention.k_proj.weight",
              [XA__VIT_K_B] = "layers.%d.attention.k_proj.bias",
              [XA__VIT_V_W] = "layers.%d.attention.v_proj.weight",
              [XA__VIT_V_B] = "layers.%d.attention.v_proj.bias",
              [XA__VIT_PROJ_W] = "layers.%d.attention.o_proj.weight",
              [XA__VIT_PROJ_B] = "layers.%d.attention.o_proj.bias",
              [XA__VIT_NORM2_W] = "layers.%d.layernorm_after.weight",
              [XA__VIT_NORM2_B] = "layers.%d.layernorm_after.bias",
              [XA__VIT_FC1_W] = "layers.%d.mlp.fc1.weight",
              [XA__VIT_FC1_B] = "layers.%d.mlp.fc1.bias",
              [XA__VIT_FC2_W] = "layers.%d.mlp.fc2.weight",
              [XA__VIT_FC2_B] = "layers.%d.mlp.fc2.bias",
              [XA__VIT_HEAD_W] = "/classifier.weight",
              [XA__VIT_HEAD_B] = "/classifier.bias"}};

/* transformers: Dinov2ForImageClassification, and with registers (Oquab et al. 2024, Darcet et al.
 * 2024). The head reads the class token and the mean of the patches, side by side. Registers have
 * no position. */
#define DINO_COMMON                                                                               \
    [XA__VIT_PATCH_W] = "embeddings.patch_embeddings.projection.weight",                          \
    [XA__VIT_PATCH_B] = "embeddings.patch_embeddings.projection.bias",                            \
    [XA__VIT_CLASS] = "embeddings.cls_token", [XA__VIT_REGISTERS] = "embeddings.register_tokens", \
    [XA__VIT_POSITION] = "embeddings.position_embeddings",                                        \
    [XA__VIT_NORM1_W] = "encoder.layer.%d.norm1.weight",                                          \
    [XA__VIT_NORM1_B] = "encoder.layer.%d.norm1.bias",                                            \
    [XA__VIT_SCALE1] = "encoder.layer.%d.layer_scale1.lambda1",                                   \
    [XA__VIT_NORM2_W] = "encoder.layer.%d.norm2.weight",                                          \
    [XA__VIT_NORM2_B] = "encoder.layer.%d.norm2.bias",                                            \
    [XA__VIT_SCALE2] = "encoder.layer.%d.layer_scale2.lambda1",                                   \
    [XA__VIT_NORM_W] = "layernorm.weight", [XA__VIT_NORM_B] = "layernorm.bias",                   \
    [XA__VIT_HEAD_W] = "/classifier.weight", [XA__VIT_HEAD_B] = "/classifier.bias"
#define DINO_4                                                                        \
    DINO_COMMON, [XA__VIT_Q_W] = "encoder.layer.%d.attention.attention.query.weight", \
                 [XA__VIT_Q_B] = "encoder.layer.%d.attention.attention.query.bias",   \
                 [XA__VIT_K_W] = "encoder.layer.%d.attention.attention.key.weight",   \
                 [XA__VIT_K_B] = "encoder.layer.%d.attention.attention.key.bias",     \
                 [XA__VIT_V_W] = "encoder.layer.%d.attention.attention.value.weight", \
                 [XA__VIT_V_B] = "encoder.layer.%d.attention.attention.value.bias",   \
                 [XA__VIT_PROJ_W] = "encoder.layer.%d.attention.output.dense.weight", \
                 [XA__VIT_PROJ_B] = "encoder.layer.%d.attention.output.dense.bias"
#define DINO_5                                                                  \
    DINO_COMMON, [XA__VIT_Q_W] = "encoder.layer.%d.attention.q_proj.weight",    \
                 [XA__VIT_Q_B] = "encoder.layer.%d.attention.q_proj.bias",      \
                 [XA__VIT_K_W] = "encoder.layer.%d.attention.k_proj.weight",    \
                 [XA__VIT_K_B] = "encoder.layer.%d.attention.k_proj.bias",      \
                 [XA__VIT_V_W] = "encoder.layer.%d.attention.v_proj.weight",    \
                 [XA__VIT_V_B] = "encoder.layer.%d.attention.v_proj.bias",      \
                 [XA__VIT_PROJ_W] = "encoder.layer.%d.attention.o_proj.weight", \
                 [XA__VIT_PROJ_B] = "encoder.layer.%d.attention.o_proj.bias"
#define PLAIN_MLP                                        \
    [XA__VIT_FC1_W] = "encoder.layer.%d.mlp.fc1.weight", \
    [XA__VIT_FC1_B] = "encoder.layer.%d.mlp.fc1.bias",   \
    [XA__VIT_FC2_W] = "encoder.layer.%d.mlp.fc2.weight", \
    [XA__VIT_FC2_B] = "encoder.layer.%d.mlp.fc2.bias"
#define GATED_4                                                     \
    [XA__VIT_GATE_UP_W] = "encoder.layer.%d.mlp.weights_in.weight", \
    [XA__VIT_GATE_UP_B] = "encoder.layer.%d.mlp.weights_in.bias",   \
    [XA__VIT_FC2_W] = "encoder.layer.%d.mlp.weights_out.weight",    \
    [XA__VIT_FC2_B] = "encoder.layer.%d.mlp.weights_out.bias"
#define GATED_5                                                 \
    [XA__VIT_GATE_W] = "encoder.layer.%d.mlp.gate_proj.weight", \
    [XA__VIT_GATE_B] = "encoder.layer.%d.mlp.gate_proj.bias",   \
    [XA__VIT_FC1_W] = "encoder.layer.%d.mlp.up_proj.weight",    \
    [XA__VIT_FC1_B] = "encoder.layer.%d.mlp.up_proj.bias",      \
    [XA__VIT_FC2_W] = "encoder.layer.%d.mlp.down_proj.weight",  \
    [XA__VIT_FC2_B] = "encoder.layer.%d.mlp.down_proj.bias"
#define DINO(variable, resampler, ...)                                                       \
    static const xa__vit_dialect variable = {                                                \
        .name = "transformers DINOv2",                                                       \
        .modules = {"encoder.layer.%d",                                                      \
                    "encoder.layer.%d.attention",                                            \
                    "encoder.layer.%d.mlp",                                                  \
                    "classifier"},                                                           \
        .norms = {".norm1", ".norm2"},                                                       \
        .types = "dinov2 dinov2_with_registers",                                             \
        .classes = "Dinov2ForImageClassification Dinov2WithRegistersForImageClassification", \
        .unused = unused_of_vit,                                                             \
        .needs_config = true,                                                                \
        .epsilon = 1e-6,                                                                     \
        .act = XA_ACT_GELU,                                                                  \
        .pool = XA__VIT_POOL_TOKEN_AVG,                                                      \
        .interpolation = resampler,                                                          \
        .parts = {__VA_ARGS__}};
DINO(dinov2_4, XA_RESAMPLE_CV2_CUBIC, DINO_4, PLAIN_MLP)
DINO(dinov2_5, XA_RESAMPLE_CV2_CUBIC, DINO_5, PLAIN_MLP)
DINO(dinov2_4_gated, XA_RESAMPLE_CV2_CUBIC, DINO_4, GATED_4)
DINO(dinov2_5_gated, XA_RESAMPLE_CV2_CUBIC, DINO_5, GATED_5)
DINO(registers_4, XA_RESAMPLE_PIL_BICUBIC, DINO_4, PLAIN_MLP)
DINO(registers_5, XA_RESAMPLE_PIL_BICUBIC, DINO_5, PLAIN_MLP)
DINO(registers_4_gated, XA_RESAMPLE_PIL_BICUBIC, DINO_4, GATED_4)
DINO(registers_5_gated, XA_RESAMPLE_PIL_BICUBIC, DINO_5, GATED_5)

/* transformers: CLIPForImageClassification (Radford et al. 2021): its head reads the mean of the
 * patches as the blocks leave them, before the last norm, which it does not use. And
 * SiglipForImageClassification (Zhai et al. 2023): no class token; the mean of all tokens behind
 * the last norm, without the attention pooling that the file holds. */
#define TOWER                                                                                    \
    [XA__VIT_PATCH_W] = "embeddings.patch_embedding.weight",                                     \
    [XA__VIT_POSITION] = "embeddings.position_embedding.weight",                                 \
    [XA__VIT_NORM1_W] = "encoder.layers.%d.layer_norm1.weight",                                  \
    [XA__VIT_NORM1_B] = "encoder.layers.%d.layer_norm1.bias",                                    \
    [XA__VIT_Q_W] = "encoder.layers.%d.self_attn.q_proj.weight",                                 \
    [XA__VIT_Q_B] = "encoder.layers.%d.self_attn.q_proj.bias",                                   \
    [XA__VIT_K_W] = "encoder.layers.%d.self_attn.k_proj.weight",                                 \
    [XA__VIT_K_B] = "encoder.layers.%d.self_attn.k_proj.bias",                                   \
    [XA__VIT_V_W] = "encoder.layers.%d.self_attn.v_proj.weight",                                 \
    [XA__VIT_V_B] = "encoder.layers.%d.self_attn.v_proj.bias",                                   \
    [XA__VIT_PROJ_W] = "encoder.layers.%d.self_attn.out_proj.weight",                            \
    [XA__VIT_PROJ_B] = "encoder.layers.%d.self_attn.out_proj.bias",                              \
    [XA__VIT_NORM2_W] = "encoder.layers.%d.layer_norm2.weight",                                  \
    [XA__VIT_NORM2_B] = "encoder.layers.%d.layer_norm2.bias",                                    \
    [XA__VIT_FC1_W] = "encoder.layers.%d.mlp.fc1.weight",                                        \
    [XA__VIT_FC1_B] = "encoder.layers.%d.mlp.fc1.bias",                                          \
    [XA__VIT_FC2_W] = "encoder.layers.%d.mlp.fc2.weight",                                        \
    [XA__VIT_FC2_B] = "encoder.layers.%d.mlp.fc2.bias", [XA__VIT_HEAD_W] = "/classifier.weight", \
    [XA__VIT_HEAD_B] = "/classifier.bias"
static const char *const unused_of_clip[] = {
    "embeddings.position_ids", "post_layernorm.weight", "post_layernorm.bias", NULL};
static const char *const unused_of_siglip[] = {"embeddings.position_ids", "head.", NULL};

static const xa__vit_dialect clip = {.name = "transformers CLIP",
                                     .modules = {"encoder.layers.%d",
                                                 "encoder.layers.%d.self_attn",
                                                 "encoder.layers.%d.mlp",
                                                 "classifier"},
                                     .norms = {".layer_norm1", ".layer_norm2"},
                                     .section = "vision_config",
                                     .types = "clip clip_vision_model",
                                     .classes = "CLIPForImageClassification",
                                     .unused = unused_of_clip,
                                     .needs_config = true,
                                     .bare = true,
                                     .no_last_norm = true,
                                     .epsilon = 1e-5,
                                     .act = XA_ACT_SWISH,
                                     .slope = XA__QUICK_GELU_SLOPE,
                                     .pool = XA__VIT_POOL_AVG,
                                     .interpolation = XA_RESAMPLE_CV2_CUBIC,
                                     .parts = {TOWER,
                                               [XA__VIT_CLASS] = "embeddings.class_embedding",
                                               [XA__VIT_FRONT_NORM_W] = "pre_layrnorm.weight",
                                               [XA__VIT_FRONT_NORM_B] = "pre_layrnorm.bias"}};

static const xa__vit_dialect siglip = {
    .name = "transformers SigLIP",
    .modules = {"encoder.layers.%d",
                "encoder.layers.%d.self_attn",
                "encoder.layers.%d.mlp",
                "classifier"},
    .norms = {".layer_norm1", ".layer_norm2"},
    .section = "vision_config",
    .types = "siglip siglip_vision_model",
    .classes = "SiglipForImageClassification",
    .unused = unused_of_siglip,
    .needs_config = true,
    .bare = true,
    .epsilon = 1e-6,
    .act = XA_ACT_GELU_TANH,
    .pool = XA__VIT_POOL_AVG,
    .interpolation = XA_RESAMPLE_CV2_CUBIC,
    .parts = {TOWER,
              [XA__VIT_PATCH_B] = "embeddings.patch_embedding.bias",
              [XA__VIT_NORM_W] = "post_layernorm.weight",
              [XA__VIT_NORM_B] = "post_layernorm.bias"}};

/* The first with whose names the file has a patch embedding and a first block is taken. */
static const xa__vit_naming namings[] = {
    {&timm, "", XA__VIT_PATCH_W},
    {&transformers, "vit.", XA__VIT_PATCH_W},
    {&transformers, "deit.", XA__VIT_PATCH_W},
    {&transformers_5, "vit.", XA__VIT_PATCH_W},
    {&transformers_5, "deit.", XA__VIT_PATCH_W},
    {&dinov2_4_gated, "dinov2.", XA__VIT_GATE_UP_W},
    {&dinov2_5_gated, "dinov2.", XA__VIT_GATE_W},
    {&dinov2_4, "dinov2.", XA__VIT_Q_W},
    {&dinov2_5, "dinov2.", XA__VIT_Q_W},
    {&registers_4_gated, "dinov2_with_registers.", XA__VIT_GATE_UP_W},
    {&registers_5_gated, "dinov2_with_registers.", XA__VIT_GATE_W},
    {&registers_4, "dinov2_with_registers.", XA__VIT_Q_W},
    {&registers_5, "dinov2_with_registers.", XA__VIT_Q_W},
    {&clip, "vision_model.", XA__VIT_FRONT_NORM_W},
    {&siglip, "vision_model.", XA__VIT_PATCH_B}};

const xa__vit_naming *xa__vit_naming_at(size_t i)
{
    return i < sizeof namings / sizeof *namings ? &namings[i] : NULL;
}
