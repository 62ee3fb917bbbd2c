#!/usr/bin/env python3
"""Drives the page of xaudit report in headless Chromium: report_in_browser.py PAGE

Needs the packages chromium, chromium-driver and python3-selenium.
"""
import os
import sys
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

page = "file://" + os.path.abspath(sys.argv[1])
options = Options()
for a in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=" + tempfile.mkdtemp()):
    options.add_argument(a)
options.binary_location = "/usr/bin/chromium"
options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
d = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def js(text, *a):
    return d.execute_script(text, *a)


def view(width, height, dark, address=page):
    d.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    d.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
    d.get("about:blank")
    d.get(address)


def count():
    return int(js("return document.getElementById('count').textContent").split()[0])


def becomes(n):
    """The list is drawn anew behind the event that changes it."""
    for _ in range(100):
        if count() == n:
            return True
        time.sleep(0.05)
    return False


def click(css):
    js("document.querySelector(arguments[0]).click()", css)


CONTRAST = """
const lum = c => { const f = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; return .2126 * f(c[0]) + .7152 * f(c[1]) + .0722 * f(c[2]); };
const rgb = t => (t.match(/[\\d.]+/g) || []).map(Number);
const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > .99) return c; } return [255, 255, 255]; };
const bad = [];
document.querySelectorAll('main *, .mast *').forEach(e => {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  if (!own || e.closest('svg,script,dialog,style,[hidden],noscript') || !e.getClientRects().length || e.closest('.pic')) return;
  const a = lum(rgb(getComputedStyle(e).color)), b = lum(behind(e)), ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) bad.push(e.tagName + '.' + e.className + ' ' + e.textContent.trim().slice(0, 20) + ' ' + ratio.toFixed(2));
});
return bad;
"""

try:
    view(1280, 1000, False)
    n = js("return JSON.parse(document.getElementById('data').textContent).ids.length")
    assert count() == n and len(d.find_elements(By.CSS_SELECTOR, ".card")) == min(n, 60)
    assert js("return [...document.querySelectorAll('.card img')].every(i => !i.complete || i.naturalWidth > 0)"), "a picture is broken"

    # filters, and the way back
    click("#cls button")
    few = count()
    assert 0 < few < n and js("return document.querySelector('#cls button').getAttribute('aria-pressed')") == "true"
    click("#ok button[data-v='0']")
    assert count() <= few
    assert "class=" in js("return location.hash"), "the address does not keep the filter"
    js("document.getElementById('reset').click()")
    assert becomes(n) and not js("return location.hash")
    d.find_element(By.ID, "q").send_keys("no image is called so")
    assert becomes(0) and d.find_element(By.ID, "none").is_displayed()
    d.find_element(By.ID, "q").send_keys(Keys.CONTROL, "a", Keys.DELETE)
    assert becomes(n)

    # order
    scores = "return [...document.querySelectorAll('.card .sc b')].map(b => parseFloat(b.textContent)).filter(v => !isNaN(v))"
    best = js(scores)
    assert best == sorted(best, reverse=True) and len(best) > 5
    js("const s = document.getElementById('sort'); s.value = 's'; s.onchange({ target: s })")
    worst = js(scores)
    assert worst == sorted(worst) and "sort=s" in js("return location.hash")

    # a brush over the scores above the middle one; the plot is 244 x 176, its field begins at 6 and ends 30 above the bottom
    js("document.getElementById('plot').scrollIntoView({ block: 'center' })")
    plot = d.find_element(By.ID, "plot")
    width, height = js("const r = arguments[0].getBoundingClientRect(); return [r.width, r.height]", plot)
    middle = sorted(worst)[len(worst) // 2] - 0.01
    top, bottom = 6 / 176 * height - height / 2, (6 + 140 * (1 - middle)) / 176 * height - height / 2
    ActionChains(d).move_to_element_with_offset(plot, int(-0.45 * width), int(top)).click_and_hold().move_by_offset(
        int(0.93 * width), int(bottom - top)).release().perform()
    low, high = map(float, js("return new URLSearchParams(location.hash.slice(1)).get('range')").split(",")[2:])
    kept = js(scores)
    assert js("return document.querySelector('#plot .sel') !== null") and 0 < count() < n, (count(), middle, low, high)
    assert kept and min(kept) >= low - 0.006 and max(kept) <= high + 0.006 and abs(low - middle) < 0.05, (kept, low, high)
    click("#clear")
    assert becomes(n)

    # another explainer, by its key; maps hidden, by theirs
    d.find_element(By.TAG_NAME, "body").send_keys("1")
    assert js("return document.querySelector('#xs button').getAttribute('aria-pressed')") == "true"
    d.find_element(By.TAG_NAME, "body").send_keys("o")
    assert js("return getComputedStyle(document.querySelector('.card .map')).opacity") == "0"
    d.find_element(By.TAG_NAME, "body").send_keys("o")

    # one image under all explainers, by the keyboard alone
    js("document.querySelector('.card').focus()")
    d.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    second = js("return document.activeElement.dataset.i")
    assert second == js("return document.querySelectorAll('.card')[1].dataset.i")
    d.switch_to.active_element.send_keys(Keys.ENTER)
    assert js("return document.getElementById('big').open")
    shown = js("return document.getElementById('bt').textContent")
    assert js("return document.querySelectorAll('#bb .all figure').length") == js("return JSON.parse(document.getElementById('data').textContent).explainers.length")
    d.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert js("return document.getElementById('bt').textContent") != shown
    address = d.current_url
    assert "open=" in address
    title = js("return document.getElementById('bt').textContent")
    d.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not js("return document.getElementById('big').open")

    # a link to it
    view(1280, 1000, False, address)
    assert js("return document.getElementById('big').open && document.getElementById('bt').textContent") == title

    # a table sorts
    view(1280, 1000, False)
    js("document.querySelectorAll('details').forEach(x => x.open = true)")
    js("document.querySelector('table.sort thead button').click()")
    assert js("return document.querySelector('table.sort th').getAttribute('aria-sort')") == "descending"

    for dark in (False, True):
        for width in (1280, 390):
            view(width, 900, dark)
            assert js("return document.documentElement.scrollWidth") <= width, "the page scrolls sideways at %d" % width
            bad = js(CONTRAST)
            assert not bad, (dark, width, bad[:5])
    names = js("return [...document.querySelectorAll('button,select,input,[role=button],[role=img]')].filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels && e.labels.length)).length")
    assert names == 0, "%d controls have no name" % names
    errors = [x for x in d.get_log("browser") if x["level"] == "SEVERE"]
    assert not errors, errors
finally:
    d.quit()
