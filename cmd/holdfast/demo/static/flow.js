// Requests on the wires: small dots for the users', a large one for one's own.

import { element, set } from "./svg.js";

const pixelsPerSecond = 190;
const [shortest, longest] = [260, 1100]; // milliseconds on one wire
const mostDots = 90;
const perDot = 20; // requests a second that one dot a second stands for

export class Flow {
	constructor(svg, wires) {
		Object.assign(this, { svg, wires, dots: [], sources: [], last: 0 });
		this.still = matchMedia("(prefers-reduced-motion: reduce)");
	}

	// rates says how much goes to each part from now on.
	rates(parts, users, inMemory) {
		this.inMemory = inMemory;
		const servers = parts.filter((p) => p.name.startsWith("app") && p.state === "up" && p.rate > 1);
		this.sources = [];
		if (!users) return;
		for (const p of parts) {
			if (p.state !== "up" || p.rate < 1) continue;
			const from = servers.includes(p) ? ["balancer"] : p.name.startsWith("app") ? [] : servers.map((s) => s.name);
			if (from.length) this.sources.push({ from, to: p.name, every: 1000 * perDot / p.rate, due: 0 });
		}
		const total = servers.reduce((sum, s) => sum + s.rate, 0);
		if (total > 1) this.sources.push({ from: ["users"], to: "balancer", every: 1000 * perDot / total, due: 0 });
		for (const s of this.sources) s.due = performance.now() + Math.random() * s.every;
		this.run();
	}

	// own sends one's own request on its way.
	own(view, copies, kind) {
		let after = this.send("you", "balancer", 0, true);
		after += this.send("balancer", view.server, after, true);
		if (kind === "read" && this.inMemory) return;
		for (const node of [view.node, ...copies]) this.send(view.server, node, after, true);
	}

	// send returns how long the dot will take.
	send(from, to, after, mine) {
		const path = this.wires.get(`${from} ${to}`)?.path;
		if (!path || this.still.matches || document.hidden || this.dots.length > mostDots) return 0;
		const takes = Math.min(Math.max(1000 * path.getTotalLength() / pixelsPerSecond, shortest), longest);
		this.dots.push({ path, takes, mine, begins: performance.now() + after });
		this.run();
		return takes;
	}

	run() {
		if (this.running || this.still.matches || document.hidden) return;
		this.running = true;
		requestAnimationFrame((now) => this.step(now));
	}

	step(now) {
		for (const s of this.sources) {
			if (now < s.due) continue;
			s.due = now + s.every * (.5 + Math.random());
			this.send(s.from[Math.floor(Math.random() * s.from.length)], s.to, 0, false);
		}
		this.dots = this.dots.filter((dot) => this.move(dot, now));
		this.running = (this.dots.length > 0 || this.sources.length > 0) && !document.hidden;
		if (this.running) requestAnimationFrame((then) => this.step(then));
	}

	// move reports whether the dot is still on its way.
	move(dot, now) {
		const part = (now - dot.begins) / dot.takes;
		if (part < 0) return true;
		if (part >= 1) {
			dot.circle?.remove();
			return false;
		}
		if (!dot.circle) {
			dot.circle = element("circle", { r: dot.mine ? 5.5 : 2.4, class: dot.mine ? "mine" : "" });
			this.svg.append(dot.circle);
		}
		const at = dot.path.getPointAtLength(part * dot.path.getTotalLength());
		set(dot.circle, { cx: at.x, cy: at.y });
		return true;
	}
}
