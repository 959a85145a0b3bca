export function element(name, attributes, text) {
	const e = document.createElementNS("http://www.w3.org/2000/svg", name);
	set(e, attributes);
	if (text !== undefined) e.textContent = text;
	return e;
}

export function set(e, attributes) {
	for (const [name, value] of Object.entries(attributes ?? {})) e.setAttribute(name, value);
}
