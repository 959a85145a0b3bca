// The cluster: cards for its parts, wires between them, and requests on the wires.

import { Flow } from "./flow.js";
import { element, set } from "./svg.js";

const says = { up: "up", dead: "dead", frozen: "hangs", returning: "coming back" };

export class Picture {
	constructor(place) {
		this.place = place;
		this.servers = [...place.querySelectorAll("#servers .part")];
		this.nodes = [...place.querySelectorAll("#nodes .part")];
		this.wires = new Map(); // by "from to"
		this.svg = place.querySelector("#wires");
		this.layWires();
		this.flow = new Flow(this.svg, this.wires);
		this.bend();
		new ResizeObserver(() => this.bend()).observe(place);
	}

	layWires() {
		const balancer = document.getElementById("balancer");
		this.wire(document.getElementById("you"), balancer);
		this.wire(document.getElementById("users"), balancer);
		for (const server of this.servers) {
			this.wire(balancer, server);
			for (const node of this.nodes) this.wire(server, node);
		}
	}

	wire(from, to) {
		const path = element("path");
		this.svg.append(path);
		this.wires.set(`${from.id} ${to.id}`, { from, to, path });
	}

	// bend draws the wires where the cards are now. A wire to or from the balancer,
	// which is wide, is straight.
	bend() {
		const at = this.place.getBoundingClientRect();
		for (const { from, to, path } of this.wires.values()) {
			const [a, b] = [from.getBoundingClientRect(), to.getBoundingClientRect()];
			const middle = (r) => r.left + r.width / 2 - at.left;
			const x1 = from.id === "balancer" ? middle(b) : middle(a) + fan(from, to, a.width);
			const x2 = to.id === "balancer" ? middle(a) : middle(b) + fan(to, from, b.width);
			const y1 = a.bottom - at.top, y2 = b.top - at.top, bend = (y2 - y1) * .55;
			set(path, { d: `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}` });
		}
	}

	show({ parts, mode, load, point }) {
		this.rate = this.rate === undefined ? point.rate : .7 * this.rate + .3 * point.rate;
		document.getElementById("balancer-does").textContent =
			`${mode === "non_sticky" ? "one server after the other" : "to the server that the cookie names"} · ${Math.round(this.rate)}/s`;
		document.getElementById("users").classList.toggle("on", load.on);
		for (const part of parts) this.showPart(part, mode);
		this.flow.rates(parts, load.on, mode !== "non_sticky");
	}

	showPart({ name, state, rate, amount }, mode) {
		const card = document.getElementById(name);
		const isServer = this.servers.includes(card);
		card.dataset.state = state;
		card.querySelector(".is").textContent = says[state];
		const does = [];
		if (state === "up" || state === "returning") {
			if (isServer) does.push(`${Math.round(rate)}/s`);
			if (isServer && mode !== "non_sticky") does.push(`${amount} in memory`);
			if (!isServer) does.push(amount === 1 ? "1 item" : `${amount} items`);
		}
		card.querySelector(".does").textContent = does.join(" · ");
		for (const [key, { path }] of this.wires) {
			if (key.split(" ").includes(name)) path.classList.toggle("away", this.isAway(key));
		}
	}

	isAway(key) {
		return key.split(" ").some((name) => ["dead", "frozen"].includes(document.getElementById(name).dataset.state));
	}

	// mine shows where one's own session is, and the request that has found it there.
	mine(view, kind) {
		const copies = view?.copies ?? [];
		for (const card of [...this.servers, ...this.nodes]) {
			const is = { [view?.server]: "server", [view?.node]: "home" }[card.id] ?? (copies.includes(card.id) ? "copy" : "");
			tag(card, is);
		}
		for (const [key, { path }] of this.wires) {
			const way = view && wayOf(view, copies)[key];
			path.classList.toggle("mine", way === "mine");
			path.classList.toggle("copy", way === "copy");
			if (way) this.svg.insertBefore(path, this.svg.querySelector("circle")); // above the other wires
		}
		if (view) this.flow.own(view, copies, kind);
	}
}

// fan spreads the wires of a card along its edge.
function fan(card, other, width) {
	const siblings = [...other.parentElement.children];
	if (!card.classList.contains("part") || !other.classList.contains("part")) return 0;
	return (siblings.indexOf(other) - (siblings.length - 1) / 2) * width * .16;
}

function wayOf(view, copies) {
	const way = { "you balancer": "mine", [`balancer ${view.server}`]: "mine", [`${view.server} ${view.node}`]: "mine" };
	for (const copy of copies) way[`${view.server} ${copy}`] = "copy";
	return way;
}

const words = { server: "answers", home: "home", copy: "copy" };

function tag(card, is) {
	const place = card.querySelector(".tag");
	place.hidden = !is;
	place.textContent = words[is] ?? "";
	if (is) card.dataset.mine = is;
	else delete card.dataset.mine;
}
