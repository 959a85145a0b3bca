// The buttons and choices that change the cluster. Events say what is, so that all
// pages show the same.

import { post } from "./post.js";

export function choices(complain) {
	const send = async (path, fields, busy) => {
		busy.disabled = true;
		const problem = await post(path, fields);
		busy.disabled = false;
		if (problem) complain(problem);
	};

	for (const part of document.querySelectorAll(".part")) {
		part.addEventListener("click", (e) => {
			const button = e.target.closest("button");
			if (button) send("/demo/fault", { part: part.id, what: button.dataset.what }, button);
		});
	}
	for (const name of ["mode", "copies"]) {
		const set = document.getElementById(name);
		set.addEventListener("change", (e) => send(`/demo/${name}`, { [name]: e.target.value }, set));
	}
	const load = document.getElementById("load");
	load.addEventListener("click", () => send("/demo/load", { on: load.getAttribute("aria-pressed") !== "true" }, load));

	return ({ mode, copies, load: figures }) => {
		check("mode", mode);
		check("copies", String(copies));
		load.textContent = figures.on ? "Stop" : "Start";
		load.classList.toggle("primary", !figures.on);
		load.setAttribute("aria-pressed", String(figures.on));
		promises(figures);
	};
}

// check shows what is chosen, unless a choice is on its way.
function check(name, value) {
	const set = document.getElementById(name);
	if (set.classList.contains("unknown")) set.disabled = false;
	else if (set.disabled) return;
	set.classList.remove("unknown");
	for (const input of set.querySelectorAll("input")) input.checked = input.value === value;
}

function promises(f) {
	count("lost-sessions", f.lost_sessions);
	count("lost-updates", f.lost_updates);
	count("doubled", f.doubled);
	if (!f.requests) return;
	const parts = [`${f.requests.toLocaleString("en")} answers compared with what was promised.`];
	if (f.refused) parts.push(`${f.refused} ${f.refused === 1 ? "request was" : "requests were"} not answered, or refused: nobody was told that it had worked.`);
	if (f.unsent_lost) parts.push(`${f.unsent_lost} changes were lost with servers that had not sent them: asynchronous backup allows that.`);
	document.getElementById("load-text").textContent = parts.join(" ");
}

function count(name, n) {
	const place = document.getElementById(name);
	place.textContent = n.toLocaleString("en");
	place.parentElement.classList.toggle("broken", n > 0);
}
