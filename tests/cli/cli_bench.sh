#!/usr/bin/env bash
# xaudit bench: layers have the flops that one computes on paper, totals agree, and table and JSON say the same. Nothing here
# depends on speed.
. "$(dirname "$0")/lib.sh"

sed "s#demo/#$PROJECT/jobs/demo/#" "$PROJECT/jobs/demo.yaml" >job.yaml
expect 0 "$XAUDIT" bench job.yaml --seconds 0.2 --top 3
said '^this core: [0-9.]+ GFLOP/s'
said '^model xception, batch 1'
said '^model vit, batch 4'
said 'separable'
[ "$(grep -c '(dense)\|(conv2d)\|(separable)\|(attention)\|(activation)\|(max_pool)' out)" -ge 4 ] || fail "no layers"
expect 0 "$XAUDIT" bench job.yaml --seconds 0.2 --json
cp out bench.json
expect_python <<'PY'
import json
b = json.load(open("bench.json"))
assert b["machine"]["flops"] > 1e8 and b["machine"]["copy"] > 1e8 and b["images"] >= 4
vit = b["models"]["vit"]
dense = sorted(x["forward_flops"] for x in vit if x["operator"] == "dense")
tokens, width = 8 * 8 + 1, 192
wanted = 2 * tokens * width * 4 * width  # each of the two dense layers of an MLP, without its bias
assert sum(abs(f / wanted - 1) < 0.02 for f in dense) == 10, (wanted, dense)
# the last block computes two of its products for the class token alone
assert sum(abs(f * tokens / wanted - 1) < 0.02 for f in dense) == 2, (wanted, dense)
# the gradient of a dense layer is the same product with transposed weights
for x in vit:
    if x["operator"] == "dense" and x["backward_seconds"] > 0:
        assert abs(x["backward_flops"] / x["forward_flops"] % 1) < 0.03, x
for name, layers in b["models"].items():
    assert len({(x["operator"], x["layer"]) for x in layers}) > 5
    assert all(x["forward_bytes"] > 0 for x in layers if x["forward_seconds"] > 0)
total = sum(x["forward_seconds"] + x["backward_seconds"] for m in b["models"].values() for x in m) * b["images"]
assert abs(total / b["passes_seconds"] - 1) < 1e-6 and b["passes_seconds"] < b["seconds"]
PY
expect 2 "$XAUDIT" bench nothing.yaml
expect 2 "$XAUDIT" bench job.yaml --seconds -1
expect 2 "$XAUDIT" bench
finish
