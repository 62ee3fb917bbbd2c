#!/usr/bin/env bash
# xaudit report: one well-formed page that needs no other file, with the numbers of the summary; hostile names stay text. And the
# charts of the data set in every format. Without cairo (XAUDIT_FIGURES=OFF) the page has no charts.
. "$(dirname "$0")/lib.sh"

bad='a<script>alert(1)</script>&"b'
mkdir images
i=0
{
  printf 'path,id,label,class,kind,x0,y0,x1,y1\n'
  for p in "$PROJECT"/jobs/demo/images/*/*.jpg; do
    class=$(basename "$(dirname "$p")")
    i=$((i + 1))
    [ $((i % 3)) = 0 ] || continue
    cp "$p" "images/$i.jpg"
    id=$i
    [ $i = 3 ] && id="\"$(echo "$bad" | sed 's/"/""/g')\""
    echo "images/$i.jpg,$id,$class,$class,box,$((i % 7 * 4)),20,$((100 + i)),140"
  done
  echo "images/missing.jpg,gone,dolphin,dolphin,box,1,1,9,9"
} >manifest.csv
demo_job | sed 's/^metrics:.*/metrics: [energy, pointing_game, { kind: box_acc, profile: wsol }]/' >job.yaml
expect 3 "$XAUDIT" run job.yaml --output a.h5 --quiet
expect 0 "$XAUDIT" evaluate a.h5 --quiet
expect 0 "$XAUDIT" report a.eval.h5 -o r.html --title "Audit <of> it"
[ ! -e r.html.part ] || fail "r.html.part is left"
# the same findings in a terminal: each of its sentences stands on the page
expect 0 "$XAUDIT" summary a.eval.h5 --findings
said 'xception: right for [0-9.]+ % of [0-9]+ labelled images'
said '^  1 of [0-9]+ images failed'
cp out findings.txt
expect_python <<'PY'
import html, re
page = " ".join(re.sub(r"<[^>]*>", " ", html.unescape(open("r.html", encoding="utf-8").read())).split())
text = re.sub(r"\n    +", " ", open("findings.txt", encoding="utf-8").read())
sentences = [line.strip() for line in text.splitlines() if line.startswith("  Against") or line.startswith("  The best")]
assert len(sentences) >= 3, text
for sentence in sentences:
    assert sentence in page, sentence
PY
expect 2 "$XAUDIT" summary a.eval.h5 --findings --csv
said 'findings cannot be used with'
expect 0 "$XAUDIT" summary a.eval.h5 --json
cp out figures.json
cat >read.py <<'PY'
import json, re, sys
from html.parser import HTMLParser

class Page(HTMLParser):
    void = {"meta", "img", "br", "link", "input", "hr"}
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.refs, self.text, self.rows, self.tags = [], [], [], [], [], {}
    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for k, v in attrs:
            assert not k.startswith("on"), (tag, k)
            if k in ("src", "href", "xlink:href"):
                assert v.startswith(("#", "data:image/png;base64,")), v[:60]
                self.refs += [v[1:]] if v.startswith("#") else []
            self.refs += re.findall(r"url\(#([^)]*)\)", v or "")
        if "id" in a:
            self.ids.append(a["id"])
        if tag == "img":
            assert a.get("alt"), "a picture without alt"
        if tag == "tr":
            self.rows.append([])
        if tag == "td" and self.rows:
            self.rows[-1].append("")
        if tag not in self.void:
            self.open.append(tag)
    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.void:
            self.open.pop()
    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
        self.open.pop()
    def handle_data(self, data):
        self.text.append(data)
        if "td" in self.open and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

def read(path):
    p = Page()
    source = open(path, encoding="utf-8").read()
    p.feed(source)
    data = re.search(r'<script type="application/json" id=data>(.*?)</script>', source, re.S)
    p.data = json.loads(data.group(1)) if data else None
    assert not p.open, p.open
    assert len(p.ids) == len(set(p.ids)), "an id twice"
    assert set(p.refs) <= set(p.ids), set(p.refs) - set(p.ids)
    return p
PY
expect_python "$bad" <<'PY'
import json, sys
from read import read
p = read("r.html")
text = "".join(p.text)
assert "Audit <of> it" in text, "the title is not as it was"
assert p.tags["script"] == 2 and p.tags["style"] == 1
d = p.data
assert sys.argv[1] in d["ids"] and len(d["ids"]) == len(d["pic"]) == len(d["score"][0][0]) >= 10
assert all(x["p"].startswith("data:image/jpeg;base64,") and len(x["e"]) == len(d["explainers"]) for x in d["pic"])
assert all(m["m"].startswith("data:image/png;base64,") for x in d["pic"] for m in x["e"])
assert all(len(x["b"]) == 1 for x in d["pic"]), "a box is missing"
assert [m["name"] for m in d["models"]] == ["xception"] and set(d["models"][0]["right"]) <= {0, 1}
cells = [[c.strip() for c in r] for r in p.rows]
n = 0
for f in json.load(open("figures.json"))["figures"]:
    name = f["explainer"] + (" (baseline)" if f["baseline"] else "")
    m = f["micro"]
    if not m["n"]:
        continue
    value = f"{m['value']:.4f} " + (f"[{m['low']:.4f}, {m['high']:.4f}]" if m["low"] is not None else
                                    "too few groups" if "too few" in m["no_interval"] else "all the same")
    assert any(r and r[0] == name and r[1] == str(m["n"]) and r[3].startswith(value) for r in cells), (name, value)
    n += 1
assert n >= 15, n
assert any(r[:1] == ["gone"] and r[2] == "reading" for r in cells), "the failure is not told"
assert "1 failed" in text and "Selvaraju" in text
assert "calibration error" in text and "map peaks off the object" in text
if "svg" in p.tags:
    assert p.tags["svg"] >= 6 and p.tags["text"] > 80
    for word in ("Saliency (predicted)", "IoU at least 0.5", "probability of the annotated class"):
        assert word in text, word
PY
# in a browser: filters, the brush, one image under all explainers, the keyboard, a phone, contrast
if [ -n "${XA_SANITIZED:-}" ]; then
  : # the page is the same
elif command -v chromedriver >/dev/null && /usr/bin/python3 -c 'import selenium' 2>/dev/null; then
  expect 0 timeout 240 /usr/bin/python3 "$PROJECT/tests/cli/report_in_browser.py" "$WORK/r.html"
else
  echo "XA_SKIPPED report in a browser: no chromium-driver or python3-selenium here"
fi
# --anonymise: no folder and no job
expect 0 "$XAUDIT" report a.eval.h5 -o n.html --anonymise
grep -qF "$WORK" n.html && fail "an anonymous report names a folder"
grep -qF 'manifest.csv' n.html && fail "an anonymous report shows the job"
# without pictures, and without annotations
expect 0 "$XAUDIT" report a.h5 -o p.html --no-images
expect 0 /usr/bin/python3 -c 'from read import read; p = read("p.html"); assert p.data is None and "Images were left out" in "".join(p.text)'
cut -d, -f1-3 manifest.csv | head -n 6 >plain.csv
sed 's/manifest.csv/plain.csv/; /^metrics/d' job.yaml >plain.yaml
expect 0 "$XAUDIT" run plain.yaml --output plain.h5 --quiet --set 'title=Five & one' --set 'models.0.explainers.1.title=Our <CAM>'
expect 0 "$XAUDIT" report plain.h5 -o plain.html
expect 0 /usr/bin/python3 -c 'from read import read; p = read("plain.html"); assert "No localisation scores" in "".join(p.text) and len(p.data["pic"]) == 5 and not p.data["metrics"]'
# the names that the job gives to the report and to maps; they move no number
expect 0 /usr/bin/python3 -c 'from read import read; t = "".join(read("plain.html").text); assert "Five & one" in t and "Our <CAM>" in open("plain.html").read().replace("\\u003c", "<") + t, t[:300]'
expect 0 "$XAUDIT" run plain.yaml --output plain.h5 --quiet --set 'title=Another'
# images that moved or changed are reported and counted, and the rest of the page is there
cp -r images kept
mv images elsewhere
expect 3 "$XAUDIT" report a.eval.h5 -o gone.html
said 'images are missing or are not those that were audited'
grep -q 'image not found' gone.html || fail "a missing image leaves no word"
mkdir root && mv elsewhere root/images
expect 0 "$XAUDIT" report a.eval.h5 -o found.html --image-root root
for f in root/images/*.jpg; do [ "$f" = root/images/6.jpg ] || cp root/images/6.jpg "$f"; done
expect 3 "$XAUDIT" report a.eval.h5 -o other.html --image-root root
grep -q 'other pixels than the audited' other.html || fail "a changed image is shown"
mv kept images
# with thumbnails figures and reports need the archive only; they are the same for any number of ranks
sed 's/^metrics:.*/metrics: [energy]\nstore: { thumbnails: 96 }/' job.yaml >thumb.yaml
expect 3 "$XAUDIT" run thumb.yaml --output t.h5 --quiet
expect 3 ranks 3 "$XAUDIT" run thumb.yaml --output t3.h5 --quiet
cmp <(digest t.h5) <(digest t3.h5) || fail "thumbnails depend on the number of ranks"
expect_python <<'PY'
import h5py
f = h5py.File("t.h5")
t, s = f["samples/thumbnail"], f["samples/thumbnail_size"][:]
w, h = f["samples/width"][:], f["samples/height"][:]
assert t.shape[1:] == (96, 96, 3) and (s.max(1)[:-1] == 96).all() and not s[-1].any() and not t[-1].any()
for i in range(len(s) - 1):
    assert abs(s[i][0] / s[i][1] - h[i] / w[i]) < 0.02
    assert t[i][: s[i][0], : s[i][1]].std() > 10 and not t[i][s[i][0] :].any() and not t[i][:, s[i][1] :].any()
PY
mv images away
expect 0 "$XAUDIT" report t.h5 -o t.html
expect 0 /usr/bin/python3 -c 'from read import read; p = read("t.html"); assert sum("p" in x for x in p.data["pic"]) >= 10'
expect 0 "$XAUDIT" figure t.h5 --pick best -n 2 -o t.png
expect 0 "$XAUDIT" verify t.h5
mv away images
expect 2 "$XAUDIT" check job.yaml --set 'store={ thumbnails: 4 }'
said 'thumbnails: expected a whole number from 16 to 2048'
# refused
expect 2 "$XAUDIT" report a.h5
expect 2 "$XAUDIT" report nothing.h5 -o x.html
expect 2 "$XAUDIT" report job.yaml -o x.html
expect 1 "$XAUDIT" report a.h5 -o no/x.html
mkfifo pipe
expect 1 "$XAUDIT" report plain.h5 -o pipe
said 'pipe exists and is not a regular file'
[ -p pipe ] || fail "what is no file was replaced"
ls x.html ./*.part 2>/dev/null && fail "something is left"

# charts by xaudit figure
"$XAUDIT" figure a.eval.h5 --plot curves -o c.svg >out 2>err
if grep -q 'built without figures' err; then
  finish
  exit 0
fi
for kind in distribution curves classes agreement confidence size means; do
  for form in svg png pdf tiff; do
    expect 0 "$XAUDIT" figure a.eval.h5 --plot $kind -o c.$form --width 120mm
  done
  expect_python $kind <<'PY'
import sys, xml.etree.ElementTree as E
root = E.parse("c.svg").getroot()
texts = [t for t in root.iter("{http://www.w3.org/2000/svg}text")]
words = " ".join(t.text for t in texts)
assert "Grad-CAM (label, probability)" in words or "Grad-CAM label, probability" in words or "\u2026" in words, words
assert all(float(t.get("textLength")) > 0 for t in texts) and len(texts) > 5
assert not any("glyph" in (e.get("id") or "") for e in root.iter()), "outlines instead of text"
w, h = (float(root.get(k).rstrip("pt")) for k in ("width", "height"))
assert abs(w - 120 * 72 / 25.4) < 0.01
for t in texts:
    x, y, n = float(t.get("x")), float(t.get("y")), float(t.get("textLength"))
    assert -0.5 <= x <= w and -0.5 <= y <= h + 0.5, (t.text, x, y)
    assert "rotate" in (t.get("transform") or "") or x + n <= w + 1.0, (t.text, x, n, w)
PY
done
pdffonts c.pdf >fonts.txt 2>&1 && { grep -q 'yes' fonts.txt || fail "fonts are not embedded"; }
expect 0 "$XAUDIT" figure --again c.svg -o again.svg
cmp -s c.svg again.svg || [ "$(grep -v metadata c.svg | md5sum)" = "$(grep -v metadata again.svg | md5sum)" ] || fail "--again draws another chart"
expect 2 "$XAUDIT" figure a.h5 --plot means -o x.png
said 'xaudit evaluate makes them'
expect 2 "$XAUDIT" figure a.h5 --plot curves --metric nothing -o x.png
expect 2 "$XAUDIT" figure a.h5 --plot nothing -o x.png
said 'expected distribution, curves'
expect 2 "$XAUDIT" figure a.h5 --plot size --model other -o x.png
expect 2 "$XAUDIT" figure a.h5 --plot curves --width 20mm -o x.png
expect 0 "$XAUDIT" figure a.h5 --pick disagree -n 2 -o d.png
finish
