// SPDX-License-Identifier: Apache-2.0
// A chart of several curves over the last seconds: axes with units, values under the pointer, and a legend that tells the
// newest values in words. Texts come from peers: they become text nodes, never markup.
import { ticks } from './units.js';

const SVG = 'http://www.w3.org/2000/svg';
const SHOWN = 8, GAP_S = 5;
const LEFT = 70, RIGHT = 10, TOP = 8, BOTTOM = 22;

export function element(name, properties, ...children) {
    const made = document.createElement(name);
    Object.assign(made, properties);
    made.append(...children);
    return made;
}

function svg(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const key of Object.keys(attributes))
        made.setAttribute(key, attributes[key]);
    if (text !== undefined)
        made.textContent = text;
    return made;
}

// One colour for each thing, the same in all charts that share `colors`, for as long as it is seen.
export class Colors {
    constructor() {
        this.slots = new Map();
    }
    of(key) {
        if (!this.slots.has(key))
            this.slots.set(key, this.slots.size);
        const slot = this.slots.get(key) % 16;
        return { color: 's' + (slot % 8), dashed: slot >= 8 };
    }
}

export class Chart {
    // options: id, title, unit (of the axis), nothing (what an empty one says), format (value -> text), isBytes, colors, colorOf (series -> key)
    constructor(options) {
        this.options = options;
        this.series = [];
        this.svg = svg('svg', { role: 'img', 'aria-label': options.title });
        this.legend = element('ul', { className: 'legend' });
        this.rest = element('p', { className: 'rest' });
        const title = element('h2', { textContent: options.title, id: options.id + '-title' });
        this.figure = element('figure', { id: options.id }, element('figcaption', {}, title, element('span', { className: 'unit', textContent: options.unit })),
            this.svg, this.legend, this.rest);
        this.figure.setAttribute('aria-labelledby', options.id + '-title');
        this.hover = null;
        this.svg.addEventListener('pointermove', (event) => this.point(event.clientX));
        this.svg.addEventListener('pointerdown', (event) => this.point(event.clientX));
        this.svg.addEventListener('pointerleave', () => this.point(null));
        new ResizeObserver(() => this.draw()).observe(this.svg);
    }

    show(series, now, span) {
        this.series = series.slice(0, SHOWN);
        this.hidden = series.length - this.series.length;
        this.now = now;
        this.span = span;
        this.draw();
    }

    point(x) {
        this.hover = x === null ? null : x - this.svg.getBoundingClientRect().left;
        this.draw();
    }

    draw() {
        const width = this.svg.clientWidth, height = this.svg.clientHeight;
        if (this.now === undefined || width < 100)
            return;
        const top = Math.max(...this.series.map((one) => one.top), 0) || 1;
        const lines = ticks(top, this.options.isBytes), max = lines[lines.length - 1];
        const x = (t) => LEFT + (width - LEFT - RIGHT) * (1 - (this.now - t) / this.span);
        const y = (v) => TOP + (height - TOP - BOTTOM) * (1 - v / max);
        const parts = [];
        this.svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
        for (const line of lines) {
            parts.push(svg('line', { class: line === 0 ? 'base' : 'grid', x1: LEFT, x2: width - RIGHT, y1: Math.round(y(line)), y2: Math.round(y(line)) }));
            parts.push(svg('text', { x: LEFT - 8, y: Math.round(y(line)) + 4, 'text-anchor': 'end' }, this.options.format(line).replace(/\.0+(?=\D|$)/, '')));
        }
        parts.push(...this.times(width, height, x));
        for (const one of this.series) {
            const { color, dashed } = this.look(one);
            parts.push(svg('path', { class: 'curve ' + color + (dashed ? ' dashed' : ''), d: this.path(one, x, y) }));
        }
        const at = this.series.length > 0 ? this.moment(width) : null;
        if (at !== null)
            parts.push(svg('line', { class: 'hair', x1: x(at), x2: x(at), y1: TOP, y2: height - BOTTOM }));
        if (this.series.length === 0)
            parts.push(svg('text', { class: 'empty', x: (LEFT + width) / 2, y: height / 2, 'text-anchor': 'middle' }, this.options.nothing || 'nothing to show'));
        this.svg.replaceChildren(...parts);
        this.tell(at);
    }

    times(width, height, x) {
        const steps = width < 450 ? 3 : 6, parts = [];
        for (let i = 0; i <= steps; i++) {
            const ago = this.span * (1 - i / steps);
            const text = ago === 0 ? 'now' : ago % 60 === 0 && this.span > 60 ? '\u2212' + ago / 60 + ' min' : '\u2212' + Math.round(ago) + ' s';
            parts.push(svg('text', { x: x(this.now - ago), y: height - 5, 'text-anchor': i === 0 ? 'start' : i === steps ? 'end' : 'middle' }, text));
        }
        return parts;
    }

    // Interrupted where nothing was seen for a while.
    path(one, x, y) {
        let d = '', last = -Infinity;
        for (const [t, v] of one.points) {
            d += (t - last > GAP_S ? 'M' : 'L') + x(t).toFixed(1) + ' ' + y(v).toFixed(1);
            last = t;
        }
        return one.points.length === 1 ? d + 'h0.1' : d;
    }

    look(one) {
        return this.options.colors.of(this.options.colorOf(one));
    }

    // The time under the pointer, of the nearest look; or null.
    moment(width) {
        if (this.hover === null || this.hover < LEFT || this.hover > width - RIGHT)
            return null;
        const wanted = this.now - this.span * (1 - (this.hover - LEFT) / (width - LEFT - RIGHT));
        let best = null;
        for (const one of this.series)
            for (const [t] of one.points)
                if (best === null || Math.abs(t - wanted) < Math.abs(best - wanted))
                    best = t;
        return best;
    }

    tell(at) {
        const words = [];
        const items = this.series.map((one) => {
            const { color, dashed } = this.look(one);
            const point = at === null ? one.points[one.points.length - 1] : one.points.find((p) => p[0] === at);
            const value = point ? this.options.format(point[1]) : 'none';
            const mark = element('i', { className: color + (dashed ? ' dashed' : '') });
            mark.setAttribute('aria-hidden', 'true');
            words.push(one.label + ' ' + value);
            return element('li', {}, mark, element('span', { className: 'name', textContent: one.label, title: one.label }),
                element('span', { className: 'value', textContent: value }));
        });
        this.legend.replaceChildren(...items);
        const ago = at === null ? '' : ', ' + (this.now - at).toFixed(0) + ' s ago';
        this.svg.setAttribute('aria-label', this.options.title + ago + ': ' + (words.join('; ') || 'nothing to show'));
        this.rest.textContent = (this.hidden > 0 ? 'and ' + this.hidden + ' more, smaller; the field above picks topics' : '') +
            (at === null ? '' : (this.hidden > 0 ? '; ' : '') + (this.now - at).toFixed(0) + ' s ago');
    }
}
