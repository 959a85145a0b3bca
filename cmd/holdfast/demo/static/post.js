// One request that changes something. It returns what went wrong, or "".

export async function post(path, fields) {
	try {
		const answer = await fetch(path, { method: "POST", body: new URLSearchParams(fields) });
		return answer.ok ? "" : (await answer.text()).trim();
	} catch {
		return "The demo does not answer.";
	}
}
