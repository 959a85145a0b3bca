// One's own session: this browser asks for it every second, as any page of the app
// would, and shows what it is answered.

const pause = 1000;
const patience = 8000;
const formType = { "Content-Type": "application/x-www-form-urlencoded" };

export class Session {
	constructor({ seen, tell }) {
		Object.assign(this, { seen, tell });
		this.body = document.getElementById("attributes");
		this.place = document.getElementById("place");
		this.none = document.getElementById("no-session");
		this.problem = document.getElementById("problem");
		document.getElementById("add").addEventListener("submit", (e) => this.add(e));
		this.body.addEventListener("click", (e) => {
			const button = e.target.closest("button");
			if (button) this.remove(button.value);
		});
		document.addEventListener("visibilitychange", () => this.lookSoon());
	}

	// begin counts the visit, so that there is a session.
	async begin() {
		await this.ask("POST", "/counter/visits");
		this.look();
	}

	lookSoon() {
		clearTimeout(this.next);
		this.next = setTimeout(() => this.look(), 60);
	}

	async look() {
		clearTimeout(this.next);
		if (this.looking) return;
		this.looking = true;
		if (!document.hidden) await this.show(await this.ask("GET", "/session"), "read");
		this.looking = false;
		clearTimeout(this.next);
		this.next = setTimeout(() => this.look(), pause);
	}

	async add(e) {
		e.preventDefault();
		const { name, value } = e.target.elements;
		const key = name.value.trim();
		if (!key) return;
		const answer = await this.again("POST", "/session", new URLSearchParams({ [key]: value.value }));
		if (!answer?.ok) return this.show(answer, "change");
		this.fresh = key;
		const told = await this.show(answer, "change");
		if (!told) this.tell(`${answer.view.server} stored ${key} on ${places(answer.view)}.`);
		e.target.reset();
		name.focus();
	}

	async remove(name) {
		const answer = await this.again("DELETE", `/session/${encodeURIComponent(name)}`);
		const told = await this.show(answer, "change");
		if (answer?.ok && !told) this.tell(`${answer.view.server} removed ${name} on ${places(answer.view)}.`);
	}

	// again asks once more when nobody answered: to set or remove twice is to do it
	// once.
	async again(method, path, body) {
		const answer = await this.ask(method, path, body);
		return answer && answer.status < 500 ? answer : this.ask(method, path, body);
	}

	async ask(method, path, body) {
		try {
			const signal = AbortSignal.timeout(patience);
			const answer = await fetch(path, { method, body, signal, headers: body ? formType : {}, cache: "no-store" });
			const view = await answer.json();
			return { ok: answer.ok, status: answer.status, view, story: answer.headers.get("Demo-Story") };
		} catch {
			return null;
		}
	}

	// show reports whether the answer told what became of the session.
	async show(answer, kind) {
		this.problem.hidden = !!answer?.ok || answer?.status === 404;
		if (!answer) this.problem.textContent = "No answer.";
		else if (answer.status === 404) this.lost();
		else if (!answer.ok) this.problem.textContent = answer.view.error ?? `Status ${answer.status}.`;
		else {
			this.last = answer.view;
			this.none.hidden = true;
			this.rows(answer.view.attributes);
			this.place.textContent = `${answer.view.server} · ${places(answer.view)}`;
			this.seen(answer.view, kind);
			if (answer.story) this.tell(answer.story);
		}
		return !!answer?.story;
	}

	lost() {
		if (this.last) this.tell("Your session is lost: no node has it any more.");
		this.last = null;
		this.none.hidden = false;
		this.place.textContent = "";
		this.rows({});
		this.seen(null);
	}

	rows(attributes) {
		const shown = JSON.stringify(attributes);
		if (shown === this.shown) return;
		this.shown = shown;
		this.body.replaceChildren(...Object.entries(attributes).map(([name, value]) => row(name, value, name === this.fresh)));
		this.fresh = null;
	}
}

function places({ node, copies }) {
	return [node, ...(copies ?? [])].join(" and ");
}

function row(name, value, isNew) {
	const tr = document.createElement("tr");
	const [th, td, last, button] = ["th", "td", "td", "button"].map((tag) => document.createElement(tag));
	th.scope = "row";
	th.textContent = name;
	td.textContent = value;
	button.textContent = "✕";
	button.value = name;
	button.setAttribute("aria-label", `Remove ${name}`);
	last.append(button);
	tr.append(th, td, last);
	tr.classList.toggle("new", isNew);
	return tr;
}
