// The page's parts, and what they are told.

import { choices } from "./controls.js";
import { Log } from "./log.js";
import { Picture } from "./picture.js";
import { Plot } from "./plot.js";
import { Session } from "./session.js";

const id = (name) => document.getElementById(name);

const log = new Log(id("log"), id("story"), id("story-text"), id("hints"));
const picture = new Picture(id("picture"));
const plot = new Plot(id("plot"), id("latency-now"));
const session = new Session({
	seen: (view, kind) => picture.mine(view, kind),
	tell: (text) => log.add({ at: Date.now(), kind: "mine", text }),
});
const settle = choices((problem) => log.add({ at: Date.now(), kind: "remark", text: problem }));

const events = new EventSource("/demo/events");

events.addEventListener("open", () => { id("link").hidden = true; });
events.addEventListener("error", () => { id("link").hidden = false; });

events.addEventListener("past", (e) => {
	const { points, notes } = JSON.parse(e.data);
	plot.start(points, notes);
	log.start(notes);
});

events.addEventListener("note", (e) => {
	const note = JSON.parse(e.data);
	log.add(note);
	plot.mark(note);
	session.lookSoon();
});

events.addEventListener("picture", (e) => {
	const now = JSON.parse(e.data);
	picture.show(now);
	plot.add(now.point);
	settle(now);
});

addEventListener("pagehide", () => events.close());
session.begin();
