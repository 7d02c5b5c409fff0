// SPDX-License-Identifier: Apache-2.0
// From one snapshot to the next: what happened in between, per topic, subscriber and client, and how that went on. The
// server keeps nothing; counters are compared here. One that steps back is another's, or a lie, and counts nothing.

const HISTORY_S = 900;

const gained = (before, now) => (before !== undefined && now > before ? now - before : 0);
const sum = (list, of) => list.reduce((total, one) => total + of(one), 0);

// Counters by who has them. A publisher is another one if its incarnation is.
function counters(snapshot) {
    const all = new Map();
    for (const topic of snapshot.topics) {
        for (const p of topic.publishers)
            all.set(['p', topic.index, topic.name, p.lane, p.incarnation].join('\n'), p);
        for (const s of topic.subscribers)
            all.set(['s', topic.index, topic.name, s.entry, s.client, s.lane].join('\n'), s);
    }
    return all;
}

export class Model {
    constructor() {
        this.before = null;
        this.counters = new Map();
        this.topics = [];
        this.subscribers = [];
        this.clients = [];
        this.histories = new Map(); // key -> [[seconds, value]...]
    }

    // Answers whether there was one before it to compare with.
    take(snapshot) {
        const last = this.before, was = this.counters;
        const same = last && last.up && snapshot.up && last.region.generation === snapshot.region.generation;
        const span = same ? (snapshot.taken_ns - last.taken_ns) / 1e9 : 0;
        this.before = snapshot;
        this.counters = snapshot.up ? counters(snapshot) : new Map();
        this.snapshot = snapshot;
        this.now = snapshot.taken_ns / 1e9;
        // Who was not there before counts from zero, if we looked at all.
        const delta = (key, now, field) => (span > 0 ? gained((was.get(key) || { [field]: 0 })[field], now[field]) / span : 0);
        this.subscribers = [];
        this.topics = snapshot.topics.map((topic) => this.topic(topic, delta));
        this.clients = snapshot.clients;
        if (span > 0)
            this.remember();
        return span > 0;
    }

    topic(topic, delta) {
        const out = {
            topic, name: topic.name, kind: topic.kind, type: topic.type, rate: 0, bandwidth: 0, dropped: 0, lost: 0, lag: 0,
            publishers: topic.publishers.filter((p) => !p.ended).length, lostTotal: topic.lost_messages, droppedTotal: topic.dropped_messages,
            pending: topic.pending_messages, waiting: topic.publishers.some((p) => p.waiting),
        };
        for (const p of topic.publishers) {
            const key = ['p', topic.index, topic.name, p.lane, p.incarnation].join('\n');
            const published = delta(key, p, 'published_messages');
            out.rate += published;
            out.bandwidth += published * p.message_mean_bytes;
            out.dropped += delta(key, p, 'dropped_messages') + delta(key, p, 'dropped_oldest_messages');
            out.lost += delta(key, p, 'lost_messages');
        }
        const entries = new Map();
        for (const s of topic.subscribers) {
            const key = ['s', topic.index, topic.name, s.entry, s.client, s.lane].join('\n');
            if (!entries.has(s.entry))
                entries.set(s.entry, {
                    topic: topic.name, index: topic.index, isQueue: topic.kind === 'queue', name: s.name, entry: s.entry, client: s.client,
                    life: s.life, reliable: s.reliable, remains: s.remains, lag: 0, rate: 0, lost: 0, lostTotal: 0, held: 0,
                });
            const entry = entries.get(s.entry);
            entry.lag += s.lag_messages;
            entry.rate += delta(key, s, 'taken_messages');
            entry.lost += delta(key, s, 'lost_messages');
            entry.lostTotal += s.lost_messages;
            entry.held += s.held_messages;
        }
        out.subscribers = entries.size;
        if (topic.kind !== 'queue')
            out.lost += sum([...entries.values()], (s) => s.lost);
        out.lag = topic.kind === 'queue' ? topic.pending_messages : Math.max(0, ...[...entries.values()].map((s) => s.lag));
        this.subscribers.push(...entries.values());
        return out;
    }

    remember() {
        const put = (key, label, topic, value) => {
            if (!this.histories.has(key))
                this.histories.set(key, { key, label, topic, points: [] });
            this.histories.get(key).points.push([this.now, value]);
        };
        for (const t of this.topics) {
            put('rate\n' + t.name, t.name, t.name, t.rate);
            put('bandwidth\n' + t.name, t.name, t.name, t.bandwidth);
            if (t.lostTotal > 0)
                put('loss\n' + t.name, t.name, t.name, t.lost);
            if (t.droppedTotal > 0)
                put('loss\ndropped\n' + t.name, t.name + ' (dropped)', t.name, t.dropped);
            if (t.kind === 'queue')
                put('lag\n' + t.name, t.name + ' (pending)', t.name, t.pending);
        }
        for (const s of this.subscribers)
            if (!s.isQueue)
                put(['lag', s.topic, s.entry, s.name].join('\n'), s.topic + ' \u2192 ' + (s.name || 'subscriber ' + s.entry), s.topic, s.lag);
        for (const [key, history] of this.histories) {
            while (history.points.length > 0 && history.points[0][0] < this.now - HISTORY_S)
                history.points.shift();
            if (history.points.length === 0)
                this.histories.delete(key);
        }
    }

    // Those of a chart that are of wanted topics and have points in the last `span` seconds, the largest first.
    series(chart, wanted, span) {
        const from = this.now - span, found = [];
        for (const history of this.histories.values()) {
            if (!history.key.startsWith(chart + '\n') || !wanted(history.topic))
                continue;
            const points = history.points.filter((point) => point[0] >= from);
            if (points.length > 0)
                found.push({ key: history.key, topic: history.topic, label: history.label, points, top: Math.max(...points.map((p) => p[1])) });
        }
        return found.sort((a, b) => b.top - a.top || (a.label < b.label ? -1 : 1));
    }
}
