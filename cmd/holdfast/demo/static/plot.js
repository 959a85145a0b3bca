// How long requests took in the last minute, on a logarithmic scale, with the faults.

import { element } from "./svg.js";

const span = 60000;
const lines = [[.1, "0.1 ms"], [1, "1 ms"], [10, "10 ms"], [100, "100 ms"], [1000, "1 s"]];
const [least, most] = [.08, 3500];
const edge = { left: 46, right: 14, top: 36, bottom: 18 };

export class Plot {
	constructor(svg, now) {
		Object.assign(this, { svg, now, points: [], marks: [] });
		new ResizeObserver(() => this.draw()).observe(svg);
	}

	start(points, notes) {
		this.points = points;
		this.marks = notes.filter((n) => n.part);
		this.draw();
	}

	mark(note) {
		if (note.part) this.marks.push(note);
	}

	add(point) {
		this.points.push(point);
		const first = point.at - span;
		this.points = this.points.filter((p) => p.at >= first);
		this.marks = this.marks.filter((m) => m.at >= first);
		const late = this.points.slice(-4).filter((p) => p.requests);
		this.now.textContent = late.length
			? `half within ${milliseconds(mean(late.map((p) => p.p50)))}, 99 of 100 within ${milliseconds(Math.max(...late.map((p) => p.p99)))}`
			: "no requests";
		this.draw();
	}

	draw() {
		const { width, height } = this.svg.getBoundingClientRect();
		if (!width || document.hidden) return;
		const end = this.points.at(-1)?.at ?? Date.now();
		this.x = (at) => edge.left + (width - edge.left - edge.right) * (1 - (end - at) / span);
		this.y = (ms) => {
			const part = Math.log(Math.max(ms, least) / least) / Math.log(most / least);
			return height - edge.bottom - (height - edge.top - edge.bottom) * Math.min(part, 1);
		};
		this.svg.replaceChildren(...this.grid(width, height, end), ...this.marked(height), ...this.curves(height));
	}

	grid(width, height, end) {
		const all = lines.flatMap(([ms, text]) => [
			element("line", { class: "grid", x1: edge.left, x2: width - edge.right, y1: this.y(ms), y2: this.y(ms) }),
			element("text", { x: edge.left - 8, y: this.y(ms) + 4, "text-anchor": "end" }, text),
		]);
		for (const [ago, text, anchor] of [[60, "60 s ago", "start"], [30, "30 s", "middle"], [0, "now", "end"]]) {
			all.push(element("text", { x: this.x(end - ago * 1000), y: height - 2, "text-anchor": anchor }, text));
		}
		return all;
	}

	// marked draws the marks. Labels that would lie on each other go one above the
	// other; the third has no room.
	marked(height) {
		const free = [-Infinity, -Infinity];
		return this.marks.filter((m) => this.x(m.at) >= edge.left).flatMap((m) => {
			const x = this.x(m.at);
			const row = free.findIndex((from) => x >= from);
			const all = [element("line", { class: `mark ${m.kind}`, x1: x, x2: x, y1: edge.top - 8, y2: height - edge.bottom })];
			if (row >= 0) {
				free[row] = x + 32;
				all.push(element("text", { class: m.kind, x, y: edge.top - 12 - 13 * row, "text-anchor": "middle" }, m.part));
			}
			return all;
		});
	}

	curves(height) {
		const asked = this.points.filter((p) => p.requests);
		const line = (key) => asked.map((p, i) => {
			const pause = i > 0 && p.at - asked[i - 1].at > 1600;
			return `${i && !pause ? "L" : "M"}${this.x(p.at).toFixed(1)} ${this.y(p[key]).toFixed(1)}`;
		}).join("");
		const bars = this.points.filter((p) => p.failed).map((p) =>
			element("rect", { class: "failed", x: this.x(p.at) - 2, y: height - edge.bottom - 5, width: 4, height: 5 }));
		if (!asked.length) return bars;
		return [element("path", { class: "p99", d: line("p99") }), element("path", { class: "p50", d: line("p50") }), ...bars];
	}
}

function mean(all) {
	return all.reduce((sum, n) => sum + n, 0) / all.length;
}

function milliseconds(ms) {
	return ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toPrecision(2)} ms`;
}
