// SPDX-License-Identifier: Apache-2.0
// Asks for a snapshot each second and shows it. Whatever comes from the bus goes into the page as text, never as markup.
import { Chart, Colors, element } from './chart.js';
import { Model } from './model.js';
import * as units from './units.js';

const EVERY_MS = 1000, FIRST_MS = 250, FIRST = 4, ANSWER_MS = 5000, ROWS = 200;
const id = (name) => document.getElementById(name);
const model = new Model();
let turns = 0, paused = false, failure = 'connecting', span = 60, filter = '';

const topicColors = new Colors(), subscriberColors = new Colors();
const byTopic = (series) => series.topic;
const charts = [
    new Chart({ id: 'rate', title: 'Rates', unit: 'messages per second', format: units.rate, colors: topicColors, colorOf: byTopic }),
    new Chart({ id: 'bandwidth', title: 'Bandwidth', unit: 'bytes per second', format: units.bandwidth, isBytes: true, colors: topicColors, colorOf: byTopic }),
    new Chart({ id: 'lag', title: 'Lag', unit: 'messages not taken yet, by subscriber', format: (v) => units.count(Math.round(v * 100) / 100), colors: subscriberColors, colorOf: (series) => series.key }),
    new Chart({ id: 'loss', title: 'Losses', nothing: 'nothing was lost', unit: 'messages lost or dropped per second', format: units.rate, colors: topicColors, colorOf: (series) => series.label }),
];

// ---- tables ----

// A column: heading, whether it holds figures, and the cell of a row: a text, or [text, class].
const topicColumns = [
    ['Topic', false, (t) => t.name],
    ['Kind', false, (t) => t.kind],
    ['Type', false, (t) => t.type || ['untyped', 'none']],
    ['Publishers', true, (t) => String(t.publishers)],
    ['Subscribers', true, (t) => String(t.subscribers)],
    ['Rate', true, (t) => units.rate(t.rate)],
    ['Bandwidth', true, (t) => units.bandwidth(t.bandwidth)],
    ['Lag', true, (t) => units.count(t.lag)],
    ['Dropped', true, (t) => [units.count(t.droppedTotal), t.dropped > 0 ? 'bad' : '']],
    ['Lost', true, (t) => [units.count(t.lostTotal), t.lost > 0 ? 'bad' : '']],
    ['', false, (t) => (t.waiting ? ['publisher waits for room', 'bad'] : '')],
];
const subscriberColumns = [
    ['Subscriber', false, (s) => s.name || ['entry ' + s.entry, 'none']],
    ['Topic', false, (s) => s.topic],
    ['Takes', false, (s) => (s.isQueue ? (s.remains ? 'remains of a dead one' : 'from the queue') : s.reliable ? 'all: reliable' : 'what it can')],
    ['Rate', true, (s) => units.rate(s.rate)],
    ['Lag', true, (s) => (s.isQueue ? ['', 'none'] : units.count(s.lag))],
    ['Holds', true, (s) => (s.isQueue ? units.count(s.held) : ['', 'none'])],
    ['Lost', true, (s) => [units.count(s.lostTotal), s.lost > 0 ? 'bad' : '']],
    ['State', false, (s) => [s.life, s.life === 'dead' ? 'bad' : '']],
];
const ago = (seconds) => (seconds === null ? ['none', 'none'] : units.duration(seconds));
const clientColumns = [
    ['Client', false, (c) => c.name || ['index ' + c.index, 'none']],
    ['Index', true, (c) => String(c.index)],
    ['State', false, (c) => [c.life === 'alive' ? (c.asleep ? 'alive, asleep' : 'alive') : c.life, c.life === 'dead' ? 'bad' : '']],
    ['Attached', true, (c) => ago(c.age_s)],
    ['Heartbeat', true, (c) => ago(c.heartbeat_age_s)],
    ['Bells rung', true, (c) => units.count(c.bells_rung)],
    ['Held back', true, (c) => units.count(c.bells_suppressed)],
    ['Sleeps', true, (c) => units.count(c.sleeps)],
    ['Spurious wakes', true, (c) => units.count(c.spurious_wakes)],
    ['Safety net', true, (c) => [units.count(c.safety_net_finds), c.safety_net_finds > 0 ? 'bad' : '']],
    ['Recovered', true, (c) => units.count(c.recovered_clients)],
    ['Corruptions', true, (c) => [units.count(c.corruptions), c.corruptions > 0 ? 'bad' : '']],
];

function cell(name, column, content) {
    const [text, look] = Array.isArray(content) ? content : [content, ''];
    const made = element(name, { textContent: text, className: [column[1] ? 'n' : '', look].filter(Boolean).join(' ') });
    return made;
}

function heading(column) {
    const made = cell('th', column, column[0]);
    made.scope = 'col';
    return made;
}

function showTable(name, columns, rows, left) {
    const shown = rows.slice(0, ROWS);
    const body = shown.map((row) => element('tr', {}, ...columns.map((column, i) => {
        const made = cell(i === 0 ? 'th' : 'td', column, column[2](row));
        if (i === 0) {
            made.scope = 'row';
            made.title = made.textContent;
        }
        return made;
    })));
    if (body.length === 0)
        body.push(element('tr', {}, element('td', { className: 'none', colSpan: columns.length, textContent: 'none' })));
    id(name).replaceChildren(element('thead', {}, element('tr', {}, ...columns.map(heading))), element('tbody', {}, ...body));
    const more = rows.length - shown.length + left;
    id(name + '-rest').textContent = more > 0 ? 'and ' + more + ' more' : '';
}

// ---- the page ----

function showTiles() {
    const add = (of) => model.topics.reduce((total, topic) => total + of(topic), 0);
    const region = model.snapshot.region, lost = add((t) => t.lost), dropped = add((t) => t.dropped);
    const tiles = [
        ['Messages', units.rate(add((t) => t.rate))],
        ['Bandwidth', units.bandwidth(add((t) => t.bandwidth))],
        ['Farthest behind', units.count(model.topics.reduce((most, t) => Math.max(most, t.lag), 0))],
        ['Lost', units.rate(lost), lost > 0],
        ['Dropped', units.rate(dropped), dropped > 0],
        ['Clients', String(model.clients.length)],
        ['Free of ' + units.bytes(region.data_bytes), units.bytes(region.free_bytes)],
    ];
    id('tiles').replaceChildren(...tiles.map(([name, value, bad]) =>
        element('div', { className: bad ? 'bad' : '' }, element('dt', { textContent: name }), element('dd', { textContent: value }))));
}

function showState() {
    const state = id('state');
    state.className = failure ? 'down' : paused ? 'paused' : 'live';
    state.textContent = failure || (paused ? 'paused' : 'live');
}

function show() {
    if (!model.snapshot)
        return;
    const wanted = (name) => name.toLowerCase().includes(filter);
    for (const chart of charts)
        chart.show(model.series(chart.options.id, wanted, span), model.now, span);
    const left = model.snapshot.topics_left_out || 0;
    showTable('topics', topicColumns, model.topics.filter((t) => wanted(t.name)), left);
    showTable('subscribers', subscriberColumns, model.subscribers.filter((s) => wanted(s.topic)), 0);
    showTable('clients', clientColumns, model.clients, 0);
    showTiles();
}

async function ask() {
    const answer = await fetch('api/snapshot', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) });
    if (!answer.ok)
        throw new Error('peal web answers ' + answer.status);
    const snapshot = await answer.json();
    id('bus').textContent = snapshot.bus;
    document.title = snapshot.bus + ' \u2013 peal';
    failure = snapshot.up ? '' : 'no bus now: ' + snapshot.reason;
    if (snapshot.up)
        model.take(snapshot);
}

async function turn() {
    const began = performance.now();
    try {
        await ask();
    } catch (error) {
        failure = error instanceof TypeError || error.name === 'TimeoutError' ? 'peal web does not answer' : String(error.message);
    }
    showState();
    if (!paused && !failure)
        show();
    const every = turns++ < FIRST ? FIRST_MS : EVERY_MS; // so that there is something to see soon
    setTimeout(turn, Math.max(100, every - (performance.now() - began)));
}

// ---- what can be pressed ----

function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    id('theme').textContent = theme === 'dark' ? 'Light' : 'Dark';
    id('theme').setAttribute('aria-label', theme === 'dark' ? 'Use light colours' : 'Use dark colours');
}

function kept(value) { // private windows may forbid it
    try {
        if (value)
            localStorage.setItem('theme', value);
        return localStorage.getItem('theme');
    } catch (error) {
        return null;
    }
}

const system = matchMedia('(prefers-color-scheme: dark)');
system.addEventListener('change', () => kept() || setTheme(system.matches ? 'dark' : 'light'));
setTheme(kept() || (system.matches ? 'dark' : 'light'));
id('theme').addEventListener('click', () => {
    const theme = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    kept(theme);
    setTheme(theme);
});
id('pause').addEventListener('click', () => {
    paused = !paused;
    id('pause').setAttribute('aria-pressed', String(paused));
    id('pause').textContent = paused ? 'Go on' : 'Pause';
    showState();
    if (!paused)
        show();
});
id('filter').addEventListener('input', (event) => {
    filter = event.target.value.trim().toLowerCase();
    show();
});
id('span').addEventListener('change', (event) => {
    span = Number(event.target.value);
    show();
});
id('charts').replaceChildren(...charts.map((chart) => chart.figure));
turn();
