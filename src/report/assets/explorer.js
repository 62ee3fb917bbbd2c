// The explorer: cards of all images, filtered and sorted; one image under all explainers; the state in the page's address.
(() => {
  const $ = id => document.getElementById(id);
  if (!$('data')) return;
  const D = JSON.parse($('data').textContent);
  const N = D.ids.length, E = D.explainers.length, K = D.metrics.length;
  const S = { e: D.start.e, k: D.start.k, sort: K ? '-s' : 'id', cls: new Set(), ok: new Set(), q: '', brush: null, list: [] };
  const esc = s => s.replace(/[&<>"']/g, c => '&#' + c.charCodeAt(0) + ';');
  const className = c => D.classes[c] === undefined ? String(c) : D.classes[c].replace(/_/g, ' ');
  const f2 = v => v == null ? '\u2013' : v.toFixed(2);
  const score = (i, e, k = S.k) => K ? D.score[k][e][i] : null;
  const modelOf = e => D.models[D.explainers[e].m];

  // ---- one picture ----
  const rect = (b, c) => `<rect class="${c}" x="${b[0]}" y="${b[1]}" width="${b[2] - b[0]}" height="${b[3] - b[1]}"/>`;
  const path = (d, c) => d ? `<path class="${c} case" d="${d}"/><path class="${c}" d="${d}"/>` : '';
  const marks = (p, contour) => `<svg class="marks" viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">${path(p.o, 'mask')}` +
    p.b.map(b => rect(b, 'box case') + rect(b, 'box')).join('') + path(contour, 'cont') + '</svg>';
  function picture(i, e, width, plain) {
    const p = D.pic[i], m = p && p.p && !plain && p.e[e];
    if (!p || !p.p) return `<div class="why">${p ? esc(p.why) : 'no picture on this page'}</div>`;
    const layer = m ? `<img class="map${D.explainers[e].px ? ' px' : ''}${m.s ? ' sg' : ''}" src="${m.m}" alt="">` : '';
    return `<div class="pic${m && m.s ? ' two' : ''}" style="--ar:${p.ar};${width ? `width:${width(p.ar)}%` : ''}"><img class="photo${plain ? ' plain' : ''}" src="${p.p}" alt="${plain ? esc(D.ids[i]) : ''}">` +
      `${layer}${marks(p, m && m.c)}</div>`;
  }
  const chip = (m, i) => {
    const c = m.pred[i], r = m.right[i];
    if (c < 0) return '<span class="chip un">not explained</span>';
    return `<span class="chip ${r === 1 ? 'ok' : r === 0 ? 'no' : 'un'}" title="${esc(m.name)}: ${esc(className(c))}">` +
      `${r === 1 ? '' : esc(className(c)) + ' '}${m.prob[i] == null ? '' : f2(m.prob[i])}</span>`;
  };
  const scoreBar = (i, e) => !K ? '' : `<div class="sc e${e % 6}"><i style="width:calc((100% - 38px)*${Math.min(Math.max(score(i, e) ?? 0, 0), 1)})"></i><b>${f2(score(i, e))}</b></div>`;
  const card = i => `<article class="card" tabindex="0" role="button" data-i="${i}" aria-label="${esc(D.ids[i])}${K ? ', ' + esc(D.metrics[S.k]) + ' ' + f2(score(i, S.e)) : ''}">` +
    `<div class="mat">${picture(i, S.e, ar => Math.min(100, ar * 75).toFixed(2))}</div>` +
    `<div class="cap"><span class="name" title="${esc(D.ids[i])}">${esc(D.ids[i])}</span>${chip(modelOf(S.e), i)}</div>${scoreBar(i, S.e)}</article>`;

  // ---- the list: 60 cards at a time ----
  let shown = 0;
  const watcher = new IntersectionObserver(x => { if (x.some(y => y.isIntersecting)) add(); }, { rootMargin: '900px' });
  function add() {
    const next = S.list.slice(shown, shown + 60);
    if (!next.length) return;
    $('cards').insertAdjacentHTML('beforeend', next.map(card).join(''));
    shown += next.length;
    watcher.disconnect();
    watcher.observe($('cards').lastElementChild);
  }
  const spread = i => {
    let low = Infinity, high = -Infinity;
    for (let e = 0; e < E; e++) {
      const v = score(i, e);
      if (v != null) { low = Math.min(low, v); high = Math.max(high, v); }
    }
    return high >= low ? high - low : -1;
  };
  function fits(i) {
    const b = S.brush, v = score(i, S.e), s = D.size[i];
    return (!S.cls.size || S.cls.has(D.label[i])) && (!S.ok.size || S.ok.has(modelOf(S.e).right[i])) &&
      (!S.q || D.ids[i].toLowerCase().includes(S.q)) &&
      (!b || (v != null && s != null && s >= b[0] && s <= b[1] && v >= b[2] && v <= b[3]));
  }
  const keys = {
    '-s': i => -(score(i, S.e) ?? -1), 's': i => score(i, S.e) ?? 9, '-d': i => -spread(i),
    'p': i => modelOf(S.e).prob[i] ?? 2, 'id': i => i,
  };
  function draw() {
    const key = keys[S.sort], order = [];
    for (let i = 0; i < N; i++) if (fits(i)) order.push([key(i), i]);
    order.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    S.list = order.map(x => x[1]);
    $('cards').innerHTML = '';
    shown = 0;
    add();
    $('none').hidden = S.list.length > 0;
    const v = S.list.map(i => score(i, S.e)).filter(x => x != null);
    $('count').textContent = S.list.length === N ? `${N} images` : `${S.list.length} of ${N} images`;
    $('mean').textContent = v.length ? `\u00b7 mean ${D.metrics[S.k]} ${(v.reduce((a, b) => a + b, 0) / v.length).toFixed(2)}` : '';
    document.querySelectorAll('#xs button').forEach(b => b.setAttribute('aria-pressed', +b.dataset.e === S.e));
    plot();
    keep();
  }

  // ---- the plot: score over the object's share; above 5,000 images a histogram of two dimensions ----
  const P = { w: 244, h: 176, l: 26, r: 6, t: 6, b: 30 };
  const X = v => P.l + (P.w - P.l - P.r) * v, Y = v => P.t + (P.h - P.t - P.b) * (1 - v);
  const limit = v => Math.min(Math.max(v, 0), 1);
  function dots(on) {
    const m = modelOf(S.e), out = [];
    for (let i = 0; i < N; i++) {
      const v = score(i, S.e);
      if (v == null || D.size[i] == null) continue;
      out.push(`<circle class="${on.has(i) ? m.right[i] === 0 ? 'bad' : '' : 'off'}" cx="${X(D.size[i]).toFixed(1)}" cy="${Y(limit(v)).toFixed(1)}" r="3"/>`);
    }
    return out.join('');
  }
  function bins() {
    const n = new Map();
    let most = 1;
    for (const i of S.list) {
      const v = score(i, S.e);
      if (v == null || D.size[i] == null) continue;
      const at = Math.min(39, Math.floor(D.size[i] * 40)) * 40 + Math.min(39, Math.floor(limit(v) * 40));
      n.set(at, (n.get(at) || 0) + 1);
      most = Math.max(most, n.get(at));
    }
    const w = (P.w - P.l - P.r) / 40, h = (P.h - P.t - P.b) / 40;
    return [...n].map(([at, c]) => `<rect class="bin" x="${X(Math.floor(at / 40) / 40).toFixed(1)}" y="${Y((at % 40 + 1) / 40).toFixed(1)}" width="${w.toFixed(1)}" height="${h.toFixed(1)}" fill-opacity="${(0.1 + 0.9 * c / most).toFixed(2)}"/>`).join('');
  }
  function plot() {
    if (!K) { $('plotbox').hidden = true; return; }
    let frame = '';
    for (const t of [0, 0.5, 1])
      frame += `<path class="fr" d="M${X(0)} ${Y(t)}H${X(1)}"/><text x="${P.l - 6}" y="${Y(t) + 4}" text-anchor="end">${t}</text><text x="${X(t)}" y="${P.h - 15}" text-anchor="${t === 1 ? 'end' : 'middle'}">${t * 100}${t ? ' %' : ''}</text>`;
    const b = S.brush;
    const sel = b ? `<rect class="sel" x="${X(b[0])}" y="${Y(b[3])}" width="${X(b[1]) - X(b[0])}" height="${Y(b[2]) - Y(b[3])}"/>` : '';
    $('plot').innerHTML = `${frame}<text x="${X(0.5)}" y="${P.h - 2}" text-anchor="middle">object's share of the image</text><g class="e${S.e % 6}">${N > 5000 ? bins() : dots(new Set(S.list))}</g>${sel}`;
    $('ploty').textContent = D.metrics[S.k] + ' over object size';
    $('clear').hidden = !b;
  }
  $('plot').setAttribute('viewBox', `0 0 ${P.w} ${P.h}`);
  let from = null;
  const place = ev => {
    const r = $('plot').getBoundingClientRect();
    return [limit(((ev.clientX - r.left) / r.width * P.w - P.l) / (P.w - P.l - P.r)),
      limit(1 - ((ev.clientY - r.top) / r.height * P.h - P.t) / (P.h - P.t - P.b))];
  };
  const drag = ev => {
    const to = place(ev);
    S.brush = [Math.min(from[0], to[0]), Math.max(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[1], to[1])];
    if (S.brush[1] - S.brush[0] < 0.02 && S.brush[3] - S.brush[2] < 0.02) S.brush = null;
  };
  $('plot').addEventListener('pointerdown', ev => { from = place(ev); $('plot').setPointerCapture(ev.pointerId); });
  $('plot').addEventListener('pointermove', ev => { if (from) { drag(ev); plot(); } });
  $('plot').addEventListener('pointerup', ev => { if (from) { drag(ev); from = null; draw(); } });
  $('clear').onclick = () => { S.brush = null; draw(); };

  // ---- one image, all explainers ----
  let at = 0;
  function fill() {
    const i = S.list[at];
    $('bt').textContent = D.ids[i];
    $('bn').textContent = `${at + 1} of ${S.list.length}` + (D.label[i] >= 0 ? ` \u00b7 ${className(D.label[i])}` : '') +
      (D.size[i] == null ? '' : ` \u00b7 object covers ${Math.round(D.size[i] * 100)} %`);
    $('bb').innerHTML = `<div>${picture(i, 0, null, true)}${D.models.map(m => `<div class="pm">${esc(m.name)} ${chip(m, i)}</div>`).join('')}</div><div class="all">` +
      D.explainers.map((x, e) => `<figure>${picture(i, e)}<figcaption><b>${esc(x.name)}</b><small>${esc(D.models[x.m].name)}${K ? ' \u00b7 ' + esc(D.metrics[S.k]) : ''}</small>${scoreBar(i, e)}</figcaption></figure>`).join('') + '</div>';
    keep();
  }
  function open(i) {
    at = S.list.indexOf(i);
    if (at < 0) { S.list = [i]; at = 0; }
    if (!$('big').open) $('big').showModal();
    fill();
    $('bt').focus();
  }
  const step = d => { at = (at + d + S.list.length) % S.list.length; fill(); };
  $('prev').onclick = () => step(-1);
  $('next').onclick = () => step(1);
  $('close').onclick = () => $('big').close();
  $('big').addEventListener('close', () => {
    keep();
    const c = document.querySelector(`.card[data-i="${S.list[at]}"]`);
    if (c) c.focus();
  });
  $('big').addEventListener('click', ev => { if (ev.target === $('big')) $('big').close(); });

  // ---- controls ----
  $('xs').innerHTML = D.models.map((m, n) => `<div class="lbl"><span>Explainers of ${esc(m.name)}</span></div><div class="list">` +
    D.explainers.map((x, e) => x.m !== n ? '' : `<button class="e${e % 6}" data-e="${e}" aria-pressed="false"><span class="key"></span>${esc(x.name)}${e < 9 ? `<kbd>${e + 1}</kbd>` : ''}</button>`).join('') + '</div>').join('');
  $('xs').onclick = ev => { const b = ev.target.closest('button'); if (b) { S.e = +b.dataset.e; draw(); } };
  $('metric').innerHTML = D.metrics.map((m, k) => `<option value="${k}">${esc(m)}</option>`).join('');
  if (!K) for (const id of ['metric']) $(id).hidden = true;
  $('metric').onchange = ev => { S.k = +ev.target.value; S.brush = null; draw(); };
  $('sort').onchange = ev => { S.sort = ev.target.value; draw(); };
  let wait = 0;
  $('q').oninput = ev => { S.q = ev.target.value.trim().toLowerCase(); clearTimeout(wait); wait = setTimeout(draw, N > 5000 ? 150 : 0); };
  const labels = [...new Set(D.label)].filter(c => c >= 0).sort((a, b) => a - b);
  if (labels.length <= 24) {
    $('cls').innerHTML = labels.map(c => `<button class="tog" data-v="${c}" aria-pressed="false">${esc(className(c))}</button>`).join('');
  } else {
    $('cls').innerHTML = '<select aria-label="Class"><option value="">all classes</option>' + labels.map(c => `<option value="${c}">${esc(className(c))}</option>`).join('') + '</select>';
    $('cls').onchange = ev => { S.cls.clear(); if (ev.target.value !== '') S.cls.add(+ev.target.value); draw(); };
  }
  const pick = (box, set) => box.addEventListener('click', ev => {
    const b = ev.target.closest('button');
    if (!b) return;
    const v = +b.dataset.v;
    if (!set.delete(v)) set.add(v);
    show();
    draw();
  });
  pick($('cls'), S.cls);
  pick($('ok'), S.ok);
  $('alpha').oninput = ev => { root.style.setProperty('--alpha', ev.target.value / 100); $('alphao').textContent = ev.target.value + ' %'; };
  $('togs').onclick = ev => {
    const b = ev.target.closest('button');
    if (!b) return;
    const on = b.getAttribute('aria-pressed') !== 'true';
    b.setAttribute('aria-pressed', on);
    root.classList.toggle(b.dataset.c, !on);
  };
  $('reset').onclick = () => { S.cls.clear(); S.ok.clear(); S.q = ''; S.brush = null; show(); draw(); };
  $('save').onclick = () => {
    const a = document.createElement('a');
    a.href = URL.createObjectURL(new Blob([S.list.map(i => D.ids[i] + '\n').join('')], { type: 'text/plain' }));
    a.download = 'ids.txt';
    a.click();
    URL.revokeObjectURL(a.href);
  };
  $('cards').addEventListener('click', ev => { const c = ev.target.closest('.card'); if (c) open(+c.dataset.i); });
  addEventListener('keydown', ev => {
    if ((ev.target.matches && ev.target.matches('input:not([type=range]),select')) || ev.ctrlKey || ev.metaKey || ev.altKey) return;
    const big = $('big').open, c = document.activeElement && document.activeElement.closest('.card');
    if (big && ev.key === 'ArrowRight') step(1);
    else if (big && ev.key === 'ArrowLeft') step(-1);
    else if (ev.key === 'o' || ev.key === 'O') root.classList.toggle('nomap');
    else if (ev.key === '/' && !big) { ev.preventDefault(); $('q').focus(); }
    else if (/^[1-9]$/.test(ev.key) && +ev.key <= E) { S.e = ev.key - 1; draw(); }
    else if (c && (ev.key === 'Enter' || ev.key === ' ')) { ev.preventDefault(); open(+c.dataset.i); }
    else if (c && ev.key.startsWith('Arrow')) {
      const all = [...$('cards').children], columns = getComputedStyle($('cards')).gridTemplateColumns.split(' ').length;
      const n = all[all.indexOf(c) + { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[ev.key]];
      if (n) { ev.preventDefault(); n.focus(); }
    }
  });

  // ---- the state in the address: what is filtered, and which image is open ----
  let reading = true;
  function show() {
    $('metric').value = S.k;
    $('sort').value = S.sort;
    $('q').value = S.q;
    document.querySelectorAll('#cls button').forEach(b => b.setAttribute('aria-pressed', S.cls.has(+b.dataset.v)));
    document.querySelectorAll('#ok button').forEach(b => b.setAttribute('aria-pressed', S.ok.has(+b.dataset.v)));
  }
  function keep() {
    if (reading) return;
    const p = new URLSearchParams();
    if (S.e !== D.start.e) p.set('e', D.explainers[S.e].key);
    if (K && S.k !== D.start.k) p.set('k', S.k);
    if (S.sort !== '-s') p.set('sort', S.sort);
    if (S.cls.size) p.set('class', [...S.cls].join(','));
    if (S.ok.size) p.set('ok', [...S.ok].join(','));
    if (S.q) p.set('q', S.q);
    if (S.brush) p.set('range', S.brush.map(v => v.toFixed(3)).join(','));
    if ($('big').open) p.set('open', D.ids[S.list[at]]);
    history.replaceState(null, '', p.toString() ? '#' + p : location.pathname + location.search);
  }
  const h = new URLSearchParams(location.hash.slice(1));
  const numbers = t => (t || '').split(',').filter(x => x !== '').map(Number);
  const e = D.explainers.findIndex(x => x.key === h.get('e'));
  if (e >= 0) S.e = e;
  if (K && +h.get('k') < K && h.has('k')) S.k = +h.get('k');
  if (keys[h.get('sort')]) S.sort = h.get('sort');
  numbers(h.get('class')).forEach(c => S.cls.add(c));
  numbers(h.get('ok')).forEach(c => S.ok.add(c));
  S.q = (h.get('q') || '').toLowerCase();
  if (h.has('range') && numbers(h.get('range')).length === 4) S.brush = numbers(h.get('range'));
  if (D.pic.some(p => p && p.b && p.b.length)) document.querySelector('[data-c=nomask]').click(); // boxes suffice at first
  document.querySelector('.ex').hidden = false;
  if (matchMedia('(max-width: 640px)').matches) document.querySelector('.more').open = false;
  show();
  draw();
  reading = false;
  if (h.has('open') && D.ids.indexOf(h.get('open')) >= 0) open(D.ids.indexOf(h.get('open')));
})();
