// What happened: the latest as a sentence on top, the rest as a list.

const most = 60;
const fewest = 7; // above it nobody needs hints

export class Log {
	constructor(list, banner, text, hints) {
		Object.assign(this, { list, banner, text, hints });
	}

	// start shows what happened before the page came. It comes again with each
	// new connection.
	start(notes) {
		const newest = this.newest ?? 0;
		for (const note of notes) {
			if (note.at > newest) this.insert(note);
		}
		if (!this.newest && !notes.length) {
			this.say({ kind: "remark", text: "Everything runs. Kill the node that is your session’s home." });
		}
	}

	add(note) {
		this.insert(note);
		this.say(note);
	}

	say(note) {
		this.text.textContent = note.text;
		this.banner.dataset.kind = note.kind;
	}

	insert(note) {
		if (note.kind !== "mine") this.newest = Math.max(this.newest ?? 0, note.at);
		const item = document.createElement("li");
		item.dataset.kind = note.kind;
		const time = document.createElement("time");
		time.textContent = new Date(note.at).toLocaleTimeString("en-GB");
		const text = document.createElement("span");
		text.textContent = note.text;
		item.append(time, text);
		this.list.prepend(item);
		this.hints.hidden = this.list.children.length >= fewest;
		while (this.list.children.length > most) this.list.lastElementChild.remove();
	}
}
