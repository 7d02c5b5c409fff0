// SPDX-License-Identifier: Apache-2.0
// Figures for people: as `peal top` writes them.

function scaled(value, base, suffixes) {
    let step = 0;
    while (step + 1 < suffixes.length && value >= (base > 1000 ? base : base - 0.5)) {
        value /= base;
        step++;
    }
    let decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    if (step === 0 && Number.isInteger(value))
        decimals = 0;
    return value.toFixed(decimals) + suffixes[step];
}

const si = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
const binary = [' B', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB', ' EiB'];

export const count = (value) => (value < 10000 && Number.isInteger(value) ? String(value) : scaled(value, 1000, si));
export const bytes = (value) => scaled(value, 1024, binary);
export const rate = (value) => (value > 0 ? scaled(value, 1000, si) : '0') + '/s';
export const bandwidth = (value) => (value > 0 ? scaled(value, 1024, binary) : '0 B') + '/s';

export function duration(seconds) {
    if (seconds < 1)
        return Math.round(seconds * 1000) + ' ms';
    if (seconds < 100)
        return seconds.toFixed(seconds < 10 ? 1 : 0) + ' s';
    const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
    if (days > 0)
        return days + ' d ' + (hours % 24) + ' h';
    return hours > 0 ? hours + ' h ' + (minutes % 60) + ' min' : minutes + ' min ' + Math.floor(seconds % 60) + ' s';
}

// Where the lines of an axis from 0 to `top` lie: 3 to 6 round figures. Powers of two for bytes.
export function ticks(top, isBytes) {
    const steps = [];
    if (isBytes && top >= 1024) {
        let unit = 1;
        while (unit * 1024 <= top)
            unit *= 1024;
        const within = ticks(top / unit, false);
        return within.map((tick) => tick * unit);
    }
    const rough = top / 4, power = Math.pow(10, Math.floor(Math.log10(rough)));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999);
    for (let i = 0; i * step < top + step * 0.999; i++)
        steps.push(i * step);
    return steps;
}
